// Cost counts what one call costs, in allocations and in instructions, and
// fails when it costs more than limits.json allows. Seconds tell little on a
// machine that other people use too; these counts are the same every time, so
// that a change which makes calls dearer is seen where it is made.
//
//	cost           counts, prints each count beside its limit, compares
//	cost -update   counts and writes limits.json: what is allowed is what was
//	               counted, instructions with 3 % on top
//
// Both ends of the call are in this process, so that a count is the sum of
// client and service. Three paths are counted: "untyped" is Client.Call with
// 100 bytes of JSON that is ready, answered by a handler that takes and gives
// JSON; "typed" is ipc.Call and ipc.Handle with a number that is answered by a
// struct of two members; "structs" is the same with the struct both ways.
//
// Allocations are counted over a Unix socket, as testing.AllocsPerRun does.
// Instructions are counted by valgrind's cachegrind, since virtual machines
// seldom have the processor's own counters: the program starts itself under
// it with a number of calls, and with three times as many, over the transport
// in memory, with one thread for Go code and no garbage collector; the
// difference between both, divided by the calls between them, is the count.
// The kernel's instructions are none of it. Of two such pairs the smaller
// totals count, as disturbances only ever add. Repeated, the count stays
// within 1 %. It is compared on linux/amd64 only, where limits.json was
// written.
//
// A limit is raised deliberately: whoever runs -update says in the commit what
// was bought for it. Where the count is clearly below its limit the program
// says so, and -update keeps what was gained.
package main
