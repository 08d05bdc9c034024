// Package transport moves whole frames of bytes between two processes. It
// knows nothing of what is in them.
//
//	l, err := transport.Listen(ctx, "unix:/run/user/1000/ekko-ipc/db.sock", nil)
//	conn, err := l.Accept()
//
//	conn, err := transport.Dial(ctx, "unix:/run/user/1000/ekko-ipc/db.sock", nil)
//	err = conn.Write([]byte{2, 0, 0, 0, '{', '}'})
//	frame, err := conn.ReadFrame()
//
// A [Conn] is made for one reader and one writer who want no goroutine in
// between: who waits for an answer reads the connection himself, may be
// interrupted, and can hand the reading over while his frame is still in use.
//
// # Transports
//
// There are Unix sockets, Windows pipes, shared memory, pairs of FIFOs, POSIX
// message queues, TCP with TLS, TCP on loopback, standard input and output (and
// any pair of pipes, by [Pipe], and those of a program that Dial starts),
// sockets that the process was started with, and memory, by name or as a
// [Pair]. See [Address]. Package transporttest holds the facts that are true
// of each.
//
// # Frames on a stream of bytes
//
//	socket ──▶ stream ──▶ reader ──▶ framed (a Conn)
//	           waits,     cuts       what the interface promises
//	           receives   frames
//
// A frame has its length before it, an unsigned 32-bit little-endian number,
// or is a line. Who listens finds out which by the first four bytes (a length
// under 16 MiB has zero as the fourth, which text does not hold) and answers
// in kind. A first line of {} or [] counts as a line at once, though it has
// three bytes only. Lines may end in CRLF; blank ones are skipped; the end of
// the stream ends the last. Where frames are written as lines, a newline
// within a frame becomes a space, which in JSON is the same. A frame of length
// zero is a frame, which is for the reader to judge.
//
// Memory is taken for bytes that have come, not for those announced: received
// is into blocks of 64 KiB, which a connection that waits between two frames
// does not hold, and a longer frame into memory of its own, at most four times
// what has arrived of it, or as much as the last such frame, which did
// arrive. All of it comes from pools and goes back there, unless a frame is
// detached.
//
// # Whom to trust
//
// A Unix socket lies in a directory where nobody else can put anything, is
// open to its user only from its first moment on, and is replaced or removed
// by nobody but the holder of the lock file beside it. Both ends learn from
// the kernel which user the other is, and Dial turns away from a server that
// is neither one's own nor root's before a byte is said. Shared memory is
// handed out over such a socket.
//
// A Windows pipe is made with a list of who may open it, its user and the
// system, and an owner, whom Dial looks at. It is served by nobody but the
// holder of the lock, a second pipe.
//
// FIFOs and message queues say nothing of who is at the other end, but who
// can be: they can be opened by their owner and root only, and nobody else can
// make one of that owner. So the user is Known, and is one's own.
//
// Over TLS the word is that of the authorities whose certificates the operator
// has named: see [TLSOptions]. Dial believes no service without it, and a
// listener with ClientCert no client. Whatever is wrong with a file or a
// certificate is a [TLSError], which says which, and what to do.
//
// TCP and anonymous pipes have no such word to give: [Peer] is then not Known.
package transport
