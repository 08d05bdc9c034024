package main

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
)

// rawUnix is the yardstick: the bytes of our own request and response, ready
// made, back and forth over a Unix socket by plain Read and Write. Nothing is
// encoded, decoded, matched or scheduled.
var rawUnix = register(&peer{
	name:     rawName,
	program:  "raw",
	lockstep: true,
	serve: func(dir, _ string) (string, error) {
		return serveRaw("unix", filepath.Join(dir, "raw.sock"))
	},
	dial: func(addr string) (conn, error) { return dialRaw("unix", addr) },
})

// The same over the loopback interface.
var _ = register(&peer{
	name:     "raw-tcp",
	program:  "raw",
	lockstep: true,
	serve:    func(string, string) (string, error) { return serveRaw("tcp", loopback) },
	dial:     func(addr string) (conn, error) { return dialRaw("tcp", addr) },
})

// loopback is a port that the system chooses.
const loopback = "127.0.0.1:0"

func serveRaw(network, addr string) (string, error) {
	l, err := net.Listen(network, addr)
	if err != nil {
		return "", err
	}
	go acceptEach(l, rawEcho)
	return l.Addr().String(), nil
}

func dialRaw(network, addr string) (conn, error) {
	c, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return &rawConn{c: c, frames: framesOf(smallSize)}, nil
}

// acceptEach runs serve in a goroutine for each connection that l accepts.
func acceptEach(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

// rawEcho answers each request with the response of the same payload.
func rawEcho(c net.Conn) {
	defer c.Close()
	f, in := framesOf(smallSize), make([]byte, 512)
	for {
		n, err := io.ReadAtLeast(c, in, 4)
		if err != nil {
			return
		}
		if size := 4 + int(binary.LittleEndian.Uint32(in)); size != len(f.request) {
			f = framesOf(size - len(framesOf(smallSize).request) + smallSize)
		}
		if len(f.request) > len(in) {
			in = append(in, make([]byte, len(f.request)-len(in))...)
		}
		if _, err := io.ReadFull(c, in[n:max(n, len(f.request))]); err != nil {
			return
		}
		if _, err := c.Write(f.response); err != nil {
			return
		}
	}
}

type rawConn struct {
	c      net.Conn
	frames *rawFrames
	in     []byte
}

func (c *rawConn) call(p []byte) ([]byte, error) {
	if c.frames.payload != len(p) {
		c.frames = framesOf(len(p))
	}
	if len(c.in) != len(c.frames.response) {
		c.in = make([]byte, len(c.frames.response))
	}
	if _, err := c.c.Write(c.frames.request); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(c.c, c.in); err != nil {
		return nil, err
	}
	return rawData(c.in), nil
}

func (c *rawConn) close() { c.c.Close() }

// rawFrames are the frames of one call of ours, length included;
// TestRawFrames holds them to what a Client really sends.
type rawFrames struct {
	payload           int // its size
	request, response []byte
}

var rawBySize sync.Map // of *rawFrames by the payload's size

func framesOf(payload int) *rawFrames {
	if f, ok := rawBySize.Load(payload); ok {
		return f.(*rawFrames)
	}
	p := string(payloadOf(payload))
	f, _ := rawBySize.LoadOrStore(payload, &rawFrames{
		payload:  payload,
		request:  rawFrame(requestHead + p + requestTail),
		response: rawFrame(responseHead + p + responseTail),
	})
	return f.(*rawFrames)
}

const (
	requestID   = "5d4f3c1e-9a42-4b7e-8f0d-2c6a7b1e0001"
	requestHead = `{"type":"request","messageId":"` + requestID + `","channel":"bench.echo","action":"echo",` +
		`"data":[`
	requestTail  = `],"timestamp":"2026-11-22T12:00:00.123Z"}`
	responseHead = `{"type":"response","messageId":"0c3e8a77-1b6d-4d19-a5f4-93d2c4e80001","data":`
	responseTail = `,"timestamp":"2026-11-22T12:00:00.123Z","correlationId":"` + requestID + `"}`
)

// rawFrame puts the length before text.
func rawFrame(text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)
}

// rawData returns the payload within a response's frame.
func rawData(frame []byte) []byte { return frame[4+len(responseHead) : len(frame)-len(responseTail)] }
