package main

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
)

// The yardstick of events: frames of the size of ours, ready made but for the
// number, written to each subscriber's socket in batches of 64 KiB and split
// by who reads them. Nothing is matched, queued or decoded.
func init() {
	registerEvents(&eventPeer{
		name:    rawEvents,
		program: "raw",
		publish: func(dir, _ string) (publisher, string, error) {
			path := filepath.Join(dir, "raw.sock")
			l, err := net.Listen("unix", path)
			if err != nil {
				return nil, "", err
			}
			p := new(rawPublisher)
			go acceptEach(l, p.admit)
			return p, path, nil
		},
		subscribe: func(_, addr string, hear func([]byte)) error {
			c, err := net.Dial("unix", addr)
			if err != nil {
				return err
			}
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // admitted
				return err
			}
			go splitTicks(c, hear)
			return nil
		},
	})
}

const (
	eventHead = `{"type":"event","messageId":"` + requestID + `","channel":"events.tick","data":`
	eventTail = `,"timestamp":"2026-11-22T12:00:00.123Z","metadata":{"seq":12345678,"epoch":"2n9c1rtsjl0hv"}}`
	rawBatch  = 64 << 10
)

type rawPublisher struct {
	batch []byte

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func (p *rawPublisher) admit(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	c.Write([]byte{0})
}

func (p *rawPublisher) publish(data []byte) error {
	size := len(eventHead) + len(data) + len(eventTail)
	p.batch = binary.LittleEndian.AppendUint32(p.batch, uint32(size))
	p.batch = append(append(append(p.batch, eventHead...), data...), eventTail...)
	if len(p.batch)+4+size > rawBatch {
		return p.flush()
	}
	return nil
}

func (p *rawPublisher) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		if _, err := c.Write(p.batch); err != nil {
			return err
		}
	}
	p.batch = p.batch[:0]
	return nil
}

// splitTicks reads frames as many at a time as there are.
func splitTicks(c net.Conn, hear func([]byte)) {
	in, have := make([]byte, rawBatch), 0
	for {
		n, err := c.Read(in[have:])
		if err != nil {
			return
		}
		rest := in[:have+n]
		for len(rest) >= 4 {
			end := 4 + int(binary.LittleEndian.Uint32(rest))
			if len(rest) < end {
				break
			}
			hear(rest[4+len(eventHead) : end-len(eventTail)])
			rest = rest[end:]
		}
		have = copy(in, rest)
	}
}
