//go:build linux

package torture

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
)

// isProxy reports whether the fault lies between client and service.
func (p Plant) isProxy() bool {
	switch p {
	case DuplicateRequest, SwapAnswers, DuplicateAnswer, AlterRequest, AnswerUnexecuted, FailUnexecuted, RefuseAndDeliver, LoseItem, UnknownCode, IncompatibleClaim:
		return true
	}
	return false
}

// every is how many messages a proxy leaves alone before it harms one.
const every = 8

// proxy stands at the address of a service and passes frames on, each eighth
// or so not as it came.
type proxy struct {
	plant        Plant
	outer, inner string // addresses
}

// start accepts clients until ctx ends. The connections are ended as well;
// all of it is counted in running.
func (p *proxy) start(ctx context.Context, running *sync.WaitGroup) error {
	path := strings.TrimPrefix(p.outer, "unix:")
	os.Remove(path) // of the process before, which was killed
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.pass(ctx, c, running) })
		}
	})
	return nil
}

// pass connects a client with the service.
func (p *proxy) pass(ctx context.Context, client net.Conn, running *sync.WaitGroup) {
	service, err := net.Dial("unix", strings.TrimPrefix(p.inner, "unix:"))
	if err != nil {
		client.Close()
		return
	}
	end := func() { client.Close(); service.Close() }
	stop := context.AfterFunc(ctx, end)
	c := &passage{plant: p.plant, toService: newFrames(service, false), toClient: newFrames(client, false)}
	running.Go(func() {
		defer end()
		c.requests()
	})
	c.answers()
	end()
	stop()
}

// passage is one connection through a proxy.
type passage struct {
	plant               Plant
	toService, toClient *frames

	mu      sync.Mutex // of what is written to the client
	swapped []byte     // an answer that waits for another
}

var (
	messageID     = regexp.MustCompile(`"messageId":"([^"]+)"`)
	correlationID = regexp.MustCompile(`"correlationId":"([^"]+)"`)
	callName      = regexp.MustCompile(`"data":\["([^"]+)"`)
	errorCode     = regexp.MustCompile(`"code":"[A-Z_]+"`)
	executedClaim = regexp.MustCompile(`"executed":"[a-z]+"`)
)

// requests passes on what the client sends.
func (c *passage) requests() {
	for n := 1; ; n++ {
		frame, err := c.toClient.read()
		if err != nil {
			return
		}
		id := messageID.FindSubmatch(frame)
		if id == nil || n%every != 0 || callName.Find(frame) == nil {
			if c.toService.write(frame) != nil {
				return
			}
			continue
		}
		if !c.harm(frame, string(id[1])) {
			return
		}
	}
}

// harm does to a request what is planted, and reports whether the service
// still listens.
func (c *passage) harm(frame []byte, id string) bool {
	switch c.plant {
	case DuplicateRequest:
		if c.toService.write(frame) != nil {
			return false
		}
	case AlterRequest:
		frame = callName.ReplaceAll(frame, []byte(`"data":["$1-altered"`))
	case AnswerUnexecuted:
		call := callName.FindSubmatch(frame)
		c.reply(fmt.Sprintf(`{"type":"response","messageId":"1","correlationId":%q,"data":%q}`, id, call[1]))
		return true
	case FailUnexecuted:
		c.reply(fmt.Sprintf(`{"type":"response","messageId":"1","correlationId":%q,"error":{"code":"APP_BROKEN","message":"so it is"}}`, id))
		return true
	case RefuseAndDeliver:
		c.reply(fmt.Sprintf(`{"type":"response","messageId":"1","correlationId":%q,"error":{"code":"PERMISSION_DENIED","message":"not you"}}`, id))
	}
	return c.toService.write(frame) == nil
}

func (c *passage) reply(answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.toClient.write([]byte(answer))
}

// answers passes on what the service sends.
func (c *passage) answers() {
	for n := 1; ; n++ {
		frame, err := c.toService.read()
		if err != nil {
			return
		}
		if !c.answer(frame, n) {
			return
		}
	}
}

// answer passes one answer on, and reports whether the client still listens.
func (c *passage) answer(frame []byte, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.plant {
	case DuplicateAnswer:
		if n%every == 0 && c.toClient.write(frame) != nil {
			return false
		}
	case LoseItem:
		if n%every == 0 && bytes.Contains(frame, []byte(`"more":true`)) {
			return true
		}
	case UnknownCode:
		frame = errorCode.ReplaceAll(frame, []byte(`"code":"NO_SUCH_CODE"`))
	case IncompatibleClaim:
		frame = errorCode.ReplaceAll(frame, []byte(`"code":"METHOD_NOT_FOUND"`))
		frame = executedClaim.ReplaceAll(frame, []byte(`"executed":"maybe"`))
	case SwapAnswers:
		if c.swapped == nil {
			c.swapped = frame
			return true
		}
		a, b := c.swapped, frame
		c.swapped = nil
		ida, idb := correlationID.Find(a), correlationID.Find(b)
		if ida != nil && idb != nil {
			ida, idb = append([]byte(nil), ida...), append([]byte(nil), idb...)
			a, b = correlationID.ReplaceAll(a, idb), correlationID.ReplaceAll(b, ida)
		}
		if c.toClient.write(a) != nil {
			return false
		}
		frame = b
	}
	return c.toClient.write(frame) == nil
}
