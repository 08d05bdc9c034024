//go:build linux

package events

import (
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"strconv"
	"sync"
)

// relay stands between the processes of one slot and the service. Its
// connections can be cut, and it can do what is planted.
type relay struct {
	plant        Plant
	outer, inner string // paths
	listener     net.Listener
	running      sync.WaitGroup

	mu    sync.Mutex
	ended bool
	conns map[net.Conn]struct{}
}

func newRelay(outer, inner string, plant Plant) (*relay, error) {
	l, err := net.Listen("unix", outer)
	if err != nil {
		return nil, err
	}
	r := &relay{plant: plant, outer: outer, inner: inner, listener: l, conns: map[net.Conn]struct{}{}}
	r.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() { r.pass(c) })
		}
	})
	return r, nil
}

// keep notes connections to be cut, unless there are to be none.
func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.ended {
			c.Close()
		}
		r.conns[c] = struct{}{}
	}
	return !r.ended
}

func (r *relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(r.conns, c)
	}
}

// cut ends all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.Close()
	}
}

// close is cut, and there are no more.
func (r *relay) close() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.listener.Close()
	r.cut()
	r.running.Wait()
}

// pass connects a client with the service.
func (r *relay) pass(client net.Conn) {
	service, err := net.Dial("unix", r.inner)
	if err != nil {
		client.Close()
		return
	}
	defer r.forget(client, service)
	if !r.keep(client, service) {
		return
	}
	r.running.Go(func() {
		defer r.forget(client, service)
		if r.plant != WrongAck {
			io.Copy(service, client)
			return
		}
		frames(service, client, func(n int, frame []byte) [][]byte { return [][]byte{wrongAck(n, frame)} })
	})
	if !r.plant.onTheWay() || r.plant == WrongAck {
		io.Copy(client, service)
		return
	}
	frames(client, service, r.harm)
}

// frames passes frames on as f makes them.
func frames(dst io.Writer, src io.Reader, f func(n int, frame []byte) [][]byte) {
	for n := 1; ; n++ {
		var header [4]byte
		if _, err := io.ReadFull(src, header[:]); err != nil {
			return
		}
		frame := make([]byte, binary.LittleEndian.Uint32(header[:]))
		if _, err := io.ReadFull(src, frame); err != nil {
			return
		}
		for _, out := range f(n, frame) {
			if _, err := dst.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(out))), out...)); err != nil {
				return
			}
		}
	}
}

var (
	flagged     = regexp.MustCompile(`,?"redelivered":true`)
	deliveries  = regexp.MustCompile(`,?"deliveries":\d+`)
	gapNotice   = regexp.MustCompile(`"gap":\{`)
	gapTo       = regexp.MustCompile(`"to":(\d+)`)
	gapCount    = regexp.MustCompile(`"count":(\d+)`)
	isEvent     = regexp.MustCompile(`"type":"event".*"seq":\d+`)
	isGrouped   = regexp.MustCompile(`"subscription":`)
	ackedSeq    = regexp.MustCompile(`"seq":(\d+)`)
	isAck       = regexp.MustCompile(`ipc\.ack`)
	emptyObject = regexp.MustCompile(`\{,`)
)

// less is a number of a text one lower.
func less(pattern *regexp.Regexp, name string, frame []byte) []byte {
	m := pattern.FindSubmatch(frame)
	if m == nil {
		return frame
	}
	n, _ := strconv.ParseUint(string(m[1]), 10, 64)
	return pattern.ReplaceAll(frame, strconv.AppendUint([]byte(`"`+name+`":`), n-1, 10))
}

// harm does what is planted to a frame of the service.
func (r *relay) harm(n int, frame []byte) [][]byte {
	event := isEvent.Match(frame)
	switch {
	case r.plant == UnflaggedAgain && event:
		frame = deliveries.ReplaceAll(flagged.ReplaceAll(frame, nil), nil)
		frame = emptyObject.ReplaceAll(frame, []byte("{"))
	case r.plant == SecondDelivery && event && n%64 == 0 && isGrouped.Match(frame):
		return [][]byte{frame, frame}
	case r.plant == SuppressedGap && gapNotice.Match(frame):
		return nil
	case r.plant == MiscountedGap && gapNotice.Match(frame):
		if gapCount.Match(frame) {
			frame = less(gapCount, "count", frame)
		} else {
			frame = less(gapTo, "to", frame)
		}
	case r.plant == VanishedEvent && event && n%512 == 0:
		return nil
	}
	return [][]byte{frame}
}

// wrongAck makes some acknowledgements those of the event before.
func wrongAck(n int, frame []byte) []byte {
	if n%4 != 0 || !isAck.Match(frame) {
		return frame
	}
	return less(ackedSeq, "seq", frame)
}
