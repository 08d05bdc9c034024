// Bench measures EkkoJS IPC beside other ways of calling another process on
// the same machine: all of them in one run, with the same work.
//
//	make bench                 about a quarter of an hour
//	make bench BENCH=quick     under a minute once everything is built
//	make bench BENCHFLAGS='-mode calls -peers raw-unix,ipc-unix,grpc-go -callers 1,256'
//	make bench BENCHFLAGS='-mode events,durable'
//
// writes bench/results.json, which keeps what is not measured, and
// docs/bench.svg. The program itself, once it is
// built, also does parts of that:
//
//	bench -from bench/results.json -markdown               the README's table
//	bench -from bench/results.json -readme README.md       puts it there, and so
//	                                                       for docs/performance.md
//	bench -peers ipc-unix -callers 256 -profile profiles   CPU profiles
//
// # What is measured
//
// The work is an echo. For each peer the program starts itself again as a
// service, as a client and, where the peer needs one, as a broker; the peers
// of Node are started from bench/node. Nothing is shared but the socket. Each
// peer runs with its defaults, but for limits that the largest payload or ten
// thousand connections would reach. Ours is found by name, checks arguments
// and results against the manifest and sets a deadline on each call, as every
// user's does. Nobody compresses or encrypts. Those that carry bytes or JSON
// are given the payload's text; node-ipc and Moleculer carry values, and so
// encode and decode them in each call.
//
// A mode is a number of callers on one connection, each making one call after
// the other, and a payload of JSON: 100 bytes, 10 KiB and 1 MiB, in the request
// and back in the response. Where callers times payload is more than 16 MiB
// the mode is left out. Two peers are the yardstick: raw-unix and raw-tcp move
// the bytes of our own frames, ready made, by Read and Write, so that nothing
// can be much quicker and what a peer adds can be seen. They have one call
// under way, and so only modes with one caller. A drpc connection carries a
// call at a time too: there, callers queue.
//
// In the mode beside a slow call, a 257th caller keeps calling a method that
// answers after 50 ms; its own calls are not counted. What it does to the
// others is whether a slow handler holds up its connection.
//
// The rounds are interleaved: every peer runs each mode for a moment before
// any of them runs the next round, so that a noisy neighbour troubles all of
// them alike. Each payload has fresh processes, so that what a large one
// leaves behind does not count for a small one. The first round warms up and
// is thrown away.
//
// # Events
//
// Beside calls, the program measures one publisher with 1, 10 and 100
// subscribers; pace.go has the rule that is the same for all peers. All
// subscribers of a run are in one process, with a connection each. Each event
// is numbered: what a subscriber does not hear, or hears late, is counted, and
// the table says so. Two ways of ours are measured: the service publishes, or a
// client does and the service hands it on. The yardstick is again the bytes
// of our own frames, ready made. Mosquitto is measured where it is installed.
//
// Then there are things that are kept: a publisher goes on when its event is
// confirmed, and nobody confirms before it is on the medium. They are kept on
// one disk, in turns.
//
// # How to read the figures
//
// All are medians over the rounds. Absolute ones say something about this
// machine on that day; ratios travel.
//
//   - p50, p99, p99.9: what a call takes, in the client, in microseconds. With
//     many callers it is mostly the wait behind the others. A p99.9 of less
//     than some thousand calls, as large payloads make in a round, is no more
//     than the slowest of them.
//
//   - × raw: p50 divided by that of raw-unix with the same payload, within a
//     round, and only then reduced to the median.
//
//   - calls/s, and MiB/s of payload in each direction.
//
//   - CPU s/M: seconds of processor time in a million calls, of all processes
//     together, user and system. On a busy machine it is steadier than time.
//
//   - allocs/call: of all Go processes together. Node does not tell.
//
//   - RSS: resident memory of all processes at the end of a run. Programs have
//     one peer each linked in when make bench builds them.
//
//   - spread: the distance between the quartiles of the rounds' p50, in
//     percent of their median. Where it is 30 %, a difference of 20 % between
//     two peers means nothing.
//
//   - KiB per idle connection: resident memory of the service (with the
//     broker), and of the client, of 10,000 connections that each made one
//     call and were then left alone, garbage returned to the system. Where the
//     system allows fewer descriptors the table says how many there were.
//     Moleculer has one connection between two nodes and is left out.
//
//   - deliveries/s: to all subscribers together, from the first event that is
//     published until the last one has been heard by all.
//
// Everything stays on this machine: Unix sockets in a private directory, and
// the loopback interface.
//
// What must not get worse unseen is counted, not timed: see bench/cost.
package main
