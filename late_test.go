package ipc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
)

// TestALateRequestIsNotBegun sends two requests at once, of which the first
// takes longer than the sender of the second will wait, and not long enough
// for another goroutine to take over the reading.
func TestALateRequestIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ran := 0
		s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
			ran++
			time.Sleep(1500 * time.Microsecond)
			return nil, nil
		})
		inBubble(t, s)
		conn, err := transport.Dial(t.Context(), "mem:"+t.Name(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var both []byte
		for _, text := range []string{
			`{"type":"request","messageId":"the-first","channel":"works.free"}`,
			`{"type":"request","messageId":"the-second","channel":"works.free","metadata":{"timeoutMs":1}}`,
		} {
			both = append(binary.LittleEndian.AppendUint32(both, uint32(len(text))), text...)
		}
		if err := conn.Write(both); err != nil {
			t.Fatal(err)
		}
		said := ""
		for range 2 {
			frame, err := conn.ReadFrame()
			for errors.Is(err, transport.ErrInterrupted) {
				frame, err = conn.ReadFrame()
			}
			if err != nil {
				t.Fatal(err)
			}
			said += string(frame) + "\n"
		}
		if ran != 1 || !strings.Contains(said, `"executed":"no"`) || !strings.Contains(said, `"stage":"queued"`) {
			t.Errorf("%d ran:\n%s", ran, said)
		}
	})
}
