// Bench measures EkkoJS IPC beside the usual ways of calling another process
// on the same machine: all of them in one run, with the same work.
//
// The work is an echo of 100 bytes. For each peer the program starts itself
// again as a service, as a client and, where the peer needs one, as a broker,
// so that nothing is shared but the socket. The rounds are interleaved: every
// peer runs each mode for a moment before any of them runs the next round, so
// that a noisy neighbour troubles all of them alike. What is printed are
// medians over the rounds; ratios are taken within a round and only then
// reduced to their median.
//
//	bench                  about four minutes, writes results.json
//	bench -quick           under a minute
//	bench -markdown        prints the table that the README shows
//	bench -peers raw-unix,ipc-unix -modes 1,256
//
// Everything stays on this machine: Unix sockets in a private directory and,
// for NATS, the loopback interface.
package main
