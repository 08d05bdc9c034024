package transport_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/transport"
)

func TestPairInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := transport.Pair(&transport.Options{WriteTimeout: time.Minute})
		read := make(chan error)
		go func() {
			_, err := server.ReadFrame()
			read <- err
		}()
		synctest.Wait() // for the reader to wait
		server.InterruptRead()
		if err := <-read; !errors.Is(err, transport.ErrInterrupted) {
			t.Errorf("got %v, want ErrInterrupted", err)
		}

		frames := make([]byte, 4+1<<20)
		frames[2] = 0x10 // a length of 1 MiB
		n, err := client.TryWrite(frames)
		if n == 0 || n == len(frames) || err != nil {
			t.Fatalf("TryWrite took %d of %d bytes, %v", n, len(frames), err)
		}
		start := time.Now()
		written := make(chan error)
		go func() { written <- client.Write(frames[n:]) }()
		synctest.Wait() // for the writer to wait
		if err := <-written; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: got %v, want a deadline exceeded", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("Write gave up after %v, want exactly a minute", took)
		}
		client.Close()
		if _, err := server.ReadFrame(); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v, want an unexpected end", err)
		}
		server.Close()
	})
}

func TestMemListenerInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listenFor(t, "mem:bubble", nil)
		accepted := make(chan transport.Conn)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					close(accepted)
					return
				}
				accepted <- c
			}
		}()
		synctest.Wait()
		c := dialFor(t, "mem:bubble", nil)
		s := <-accepted
		c.Close()
		if _, err := s.ReadFrame(); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
		s.Close()

		l2 := listenFor(t, "mem:other", nil)
		waiting := dialFor(t, "mem:other", nil)
		l2.Close()
		if _, err := waiting.ReadFrame(); err != io.EOF {
			t.Errorf("a connection never accepted: got %v, want EOF", err)
		}
		waiting.Close()

		l.Close()
		if _, ok := <-accepted; ok {
			t.Error("accepted after Close")
		}
	})
}

func TestStdioListenerGivesOne(t *testing.T) {
	a, b := transport.Pair(nil)
	defer b.Close()
	l := transport.SingleForTest("stdio:", a)
	if l.Addr() != "stdio:" {
		t.Error(l.Addr())
	}
	c, err := l.Accept()
	if c != a || err != nil {
		t.Fatal(c, err)
	}
	done := make(chan error)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	must(t, l.Close())
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	must(t, l.Close())
	must(t, c.Close())
}
