// Package torture proves that what an error says of its call is true: calls
// are made by many processes at once while others are killed, stopped and
// drained, everybody writes down what happened to him, and afterwards the
// records are held against each other.
//
// # The parts
//
//	client processes ──calls──▶ front ──calls──▶ back      two services
//	      │                      │                │
//	      ▼                      ▼                ▼
//	   journal                journal          journal     one file each
//	      └──────────────┬───────┴────────────────┘
//	                     ▼
//	                  History ──▶ Check ──▶ contradictions
//
// A client writes down that it is about to call, and then what came of it. A
// handler writes down that it began, before it does anything else, that it
// refuses, and that it ended. A record is one write to a file opened for
// appending, so it outlives a process that is killed a moment later. All
// times are of the monotonic clock, which the processes of a machine share.
//
// Each call carries a name of its own, by which the records of the two sides
// are brought together. Run makes a history; it starts the processes, injects
// faults, and takes no part in the calls. Check is a function of the history
// and of nothing else.
//
// # What is called executed
//
// A call was executed if its handler began, with one exception: a handler that
// refuses with a code of its own, such as NOT_FOUND, says that it did nothing,
// and the caller may be told "no". It journals that as well. An error that a
// handler got from another call and passes on is no such refusal, for it says
// what became of that other call.
//
// # Evidence
//
// A checker that never finds anything proves nothing. Plant puts a known fault
// between the two sides, such as a proxy that delivers a request twice, and
// the tests see to it that each of them is found, under the name of the rule
// that it breaks.
package torture
