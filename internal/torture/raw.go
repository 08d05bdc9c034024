//go:build linux

package torture

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/ekkojs/ipc/internal/torture/stage"
	"github.com/ekkojs/ipc/wire"
)

// rawPatience is how long an answer may take that no rule bounds. It is far
// longer than anything takes, for a call that waits this long has no answer.
const rawPatience = 30 * time.Second

// rawWorker speaks the protocol by itself: batches, and what the library's
// client never sends. What it concludes from a lost connection is its own
// "maybe"; all else it writes down as the service says it.
type rawWorker struct {
	*client
	rand *rand.Rand
}

func (w *rawWorker) work() {
	for w.ctx.Err() == nil && w.left.Load() > 0 {
		conn, err := net.Dial("unix", strings.TrimPrefix(w.Address, "unix:"))
		if err != nil {
			stage.Pause(w.ctx, 1+4*w.rand.Float64())
			continue
		}
		c := &rawConn{rawWorker: w, conn: conn.(*net.UnixConn), frames: newFrames(conn, !w.Plant.isProxy() && w.rand.IntN(2) == 0), open: map[string]bool{}}
		for range 1 + w.rand.IntN(4) {
			if !c.batch() {
				break
			}
		}
		c.end("the connection ended")
		conn.Close()
	}
}

// rawConn is one connection of a rawWorker.
type rawConn struct {
	*rawWorker
	conn   *net.UnixConn
	frames *frames
	open   map[string]bool // the calls that have not ended
}

// batch makes several calls, mostly in one frame, and waits for all the
// answers. It reports whether the connection can be used again.
func (c *rawConn) batch() bool {
	n := 2 + c.rand.IntN(30)
	if !c.next(n) {
		return false
	}
	messages := make([]string, 0, n+1)
	for range n {
		messages = append(messages, c.request())
	}
	if c.rand.IntN(16) == 0 {
		messages = append(messages, "7") // no message; the others are none the worse
	}
	c.conn.SetDeadline(time.Now().Add(rawPatience))
	sent := true
	if c.Plant.isProxy() || n%4 == 0 { // each in a frame of its own, as a proxy wants them
		for _, m := range messages {
			sent = c.frames.write([]byte(m)) == nil && sent
		}
	} else {
		sent = c.frames.write([]byte("["+strings.Join(messages, ",")+"]")) == nil
	}
	half := !c.Plant.isProxy() && c.rand.IntN(8) == 0
	if half { // all is answered all the same
		c.conn.CloseWrite()
	}
	for len(c.open) > 0 { // what came before the connection ended is read also if it did
		frame, err := c.frames.read()
		if err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				c.end("no answer, though the connection lives")
			}
			return false
		}
		c.receive(frame)
	}
	return sent && !half
}

// request writes the invoke of a call down and returns its message.
func (c *rawConn) request() string {
	id := c.id() + "-raw"
	method := draw(c.rand, c.Only)
	kind, action, args := "request", strings.TrimRight(method, "+-"), fmt.Sprintf("[%q,%d]", id, c.rand.IntN(8))
	switch method {
	case "typed":
		args = fmt.Sprintf(`[{"call":%q}]`, id)
	case "typed-":
		args = fmt.Sprintf(`[{"call":%q,"ms":"no"}]`, id)
	case "quick-":
		args = fmt.Sprintf("[%q,true]", id)
	case "quick+":
		action, args = "quick", fmt.Sprintf("[%q,0,%q]", id, padding(id, c.rand.IntN(30<<10)))
	case "bulk":
		args = fmt.Sprintf("[%q,0,%q]", id, padding(id, c.rand.IntN(30<<10)))
	case "huge", "unwritable", "mirror":
		action = "quick"
	case "deep": // a refusal that fits into no frame
		kind, action = strings.Repeat(`\"`, maxFrame/3), "quick"
	case "unreadable":
		action = "slow" // here it would be read
	}
	c.journal.Write(Event{Kind: Invoke, Call: id, Method: action})
	c.open[id] = true
	return fmt.Sprintf(`{"type":"%s","messageId":%q,"action":%q,"data":%s,"metadata":{"timeoutMs":%d}}`,
		kind, id, action, args, 1+c.rand.IntN(40)*c.rand.IntN(40))
}

// receive takes a frame of the service: an answer, or a batch of them.
func (c *rawConn) receive(frame []byte) {
	if frame[0] == '[' {
		var batch []json.RawMessage
		if json.Unmarshal(frame, &batch) == nil {
			for _, m := range batch {
				c.receive(m)
			}
			return
		}
	}
	var m struct {
		CorrelationID string          `json:"correlationId"`
		Data          json.RawMessage `json:"data"`
		Error         json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		c.end("the service sent what is no message: " + err.Error())
		return
	}
	e := outcome(m.CorrelationID, []byte(m.Data), nil)
	if m.Error != nil {
		e = outcome(m.CorrelationID, nil, wire.DecodeError(m.Error))
	}
	switch {
	case m.CorrelationID != "":
		c.write(e)
	case e.Code == wire.CodeQuotaExceeded: // turned away: it is said to all
		for id := range c.open {
			e.Call = id
			c.write(e)
		}
	}
}

// write writes an outcome down. Only one that was waited for ends the wait;
// others are for the checker to find.
func (c *rawConn) write(e Event) {
	c.journal.Write(e)
	delete(c.open, e.Call)
}

// end ends the calls that got no answer.
func (c *rawConn) end(why string) {
	for id := range c.open {
		c.write(Event{Kind: Fail, Call: id, Code: wire.CodeConnectionLost, Executed: wire.ExecutedMaybe, Note: why})
	}
}

// frames reads and writes frames in one of the two framings.
type frames struct {
	r     *bufio.Reader
	w     io.Writer
	lines bool
}

func newFrames(c io.ReadWriter, lines bool) *frames {
	return &frames{bufio.NewReaderSize(c, 64<<10), c, lines}
}

func (f *frames) read() ([]byte, error) {
	if f.lines {
		return f.r.ReadBytes('\n')
	}
	var header [4]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, min(binary.LittleEndian.Uint32(header[:]), 16<<20))
	_, err := io.ReadFull(f.r, frame)
	return frame, err
}

func (f *frames) write(frame []byte) error {
	var b []byte
	if f.lines {
		b = append(frame, '\n')
	} else {
		b = append(binary.LittleEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	}
	_, err := f.w.Write(b)
	return err
}
