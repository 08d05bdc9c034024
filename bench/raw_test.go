//go:build !solo

package main

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// TestRawFrames holds the yardstick to the truth: a Client of ours sends a
// frame of the same length with the same fields, and takes the response for
// an answer.
func TestRawFrames(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { // as a runtime folder has to be
		t.Fatal(err)
	}
	path := filepath.Join(dir, "bench.sock")
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, ekkoName+".ekko.ipc.json"), []byte(ekkoManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sent := make(chan wire.Message, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		var m wire.Message
		if !readEcho(t, c, &m) {
			return
		}
		sent <- m
		answer := strings.ReplaceAll(responseHead+small+responseTail, requestID, string(m.MessageID))
		c.Write(rawFrame(answer))
		io.Copy(io.Discard, c)
	}()
	c, err := ipcUnix.dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := callOnce(c, payloadOf(smallSize)); err != nil {
		t.Error(err)
	}

	got := <-sent
	var want wire.Message
	if err := (*wire.Limits)(nil).Decode([]byte(requestHead+small+requestTail), &want); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]byte{
		"messageId": {got.MessageID, want.MessageID}, "channel": {got.Channel, want.Channel}, "action": {got.Action, want.Action},
		"data": {got.Data, want.Data}, "timestamp": {got.Timestamp, want.Timestamp}, "correlationId": {got.CorrelationID, want.CorrelationID},
		"metadata": {got.Metadata, want.Metadata},
	} {
		if len(pair[0]) != len(pair[1]) {
			t.Errorf("%s: a Client sends %q, the yardstick %q", name, pair[0], pair[1])
		}
	}
}

// readEcho answers what comes before the call of echo with an error, which a
// client has to put up with, and decodes that call.
func readEcho(t *testing.T, c net.Conn, m *wire.Message) bool {
	for {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			t.Error(err)
			return false
		}
		frame := make([]byte, binary.LittleEndian.Uint32(length[:]))
		if _, err := io.ReadFull(c, frame); err != nil {
			t.Error(err)
			return false
		}
		if err := (*wire.Limits)(nil).Decode(frame, m); err != nil {
			t.Error(err)
			return false
		}
		if string(m.Action) == "echo" {
			return true
		}
		c.Write(rawFrame(`{"type":"response","correlationId":"` + string(m.MessageID) + `","error":{"code":"METHOD_NOT_FOUND","message":"no"}}`))
	}
}
