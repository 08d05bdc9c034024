package main

import (
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
		path := filepath.Join(dir, "raw.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			return "", err
		}
		go acceptEach(l, rawEcho)
		return path, nil
	},
	dial: func(addr string) (conn, error) {
		c, err := net.Dial("unix", addr)
		if err != nil {
			return nil, err
		}
		return &rawConn{c: c, in: make([]byte, len(rawResponse()))}, nil
	},
})

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

func rawEcho(c net.Conn) {
	defer c.Close()
	in, out := make([]byte, len(rawRequest())), rawResponse()
	for {
		if _, err := io.ReadFull(c, in); err != nil {
			return
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

type rawConn struct {
	c  net.Conn
	in []byte
}

func (c *rawConn) call([]byte) ([]byte, error) {
	if _, err := c.c.Write(rawRequest()); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(c.c, c.in); err != nil {
		return nil, err
	}
	return rawData(c.in), nil
}

func (c *rawConn) close() { c.c.Close() }

// rawRequest and rawResponse are the frames of one call of ours, length
// included; TestRawFrames holds them to what a Client really sends.
var (
	rawRequest  = sync.OnceValue(func() []byte { return rawFrame(requestText) })
	rawResponse = sync.OnceValue(func() []byte { return rawFrame(responseText) })
)

const (
	requestID   = "5d4f3c1e-9a42-4b7e-8f0d-2c6a7b1e0001"
	requestText = `{"type":"request","messageId":"` + requestID + `","channel":"bench.echo","action":"echo",` +
		`"data":[` + payload + `],"timestamp":"2026-11-22T12:00:00.123Z"}`
	responseText = responseHead + payload + responseTail
	responseHead = `{"type":"response","messageId":"0c3e8a77-1b6d-4d19-a5f4-93d2c4e80001","data":`
	responseTail = `,"timestamp":"2026-11-22T12:00:00.123Z","correlationId":"` + requestID + `"}`
)

// rawFrame puts the length before text.
func rawFrame(text string) []byte {
	n := len(text)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, text...)
}

// rawData returns the payload within a response's frame.
func rawData(frame []byte) []byte {
	const at = len(responseHead) + 4
	return frame[at : at+len(payload)]
}
