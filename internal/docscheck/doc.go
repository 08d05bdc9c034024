// Package docscheck holds the documentation to the code. Its test takes the
// fenced blocks out of the repository's Markdown files and
//
//   - vets each block of Go that is a whole program (it says "package main"),
//     and parses every other one, so that a fragment is at least Go;
//   - runs what is marked as tested, with the ekko-ipc binary in the path;
//   - looks after each link to a file of the repository.
//
// A mark is an HTML comment, which a reader does not see, in front of the
// block. Blocks of one name in one file form a session: they run in the order
// of the page, in one shell, in one empty folder, with an empty home.
//
//	<!-- tested: NAME -->              the next block takes part in session NAME
//	<!-- tested: NAME file: PATH -->   the next block is saved under PATH
//	<!-- tested: NAME                  these lines run too,
//	…                                  but are not shown
//	-->
//
// What a block means depends on its language:
//
//	sh           commands
//	console      "$ " begins a command, "> " goes on with it; other lines are expected output
//	text         expected output
//	js, ts, mjs  a program, run through ekko-ipc run
//
// Expected lines have to turn up in the session's output in their order; what
// stands between them does not matter, and "…" or "..." within a line stands
// for anything. Whatever a session leaves running is ended with it. The
// repository is at $EKKO_IPC_ROOT.
package docscheck
