package disk

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// barred is a file system whose medium can be made to stand still: what is
// written stays, and nothing of it is forced out until the bar is lifted.
type barred struct {
	system
	waiting chan struct{} // somebody waits for the medium

	mu  sync.Mutex
	bar chan struct{} // nil: it is lifted
}

func (b *barred) lower() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar = make(chan struct{})
}

func (b *barred) lift() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		close(b.bar)
		b.bar = nil
	}
}

func (b *barred) pass() {
	b.mu.Lock()
	bar := b.bar
	b.mu.Unlock()
	if bar == nil {
		return
	}
	select {
	case b.waiting <- struct{}{}:
	default:
	}
	<-bar
}

func (b *barred) open(path string, flag int) (file, error) {
	f, err := b.system.open(path, flag)
	if err != nil {
		return nil, err
	}
	return barredFile{f, b}, nil
}

func (b *barred) syncDir(dir string) error {
	b.pass()
	return b.system.syncDir(dir)
}

type barredFile struct {
	file
	fs *barred
}

func (f barredFile) sync() error {
	f.fs.pass()
	return f.file.sync()
}

const slowManifest = `{
  "service": {"name": "slow", "version": "1.0.0"},
  "methods": {"echo": {"parameters": [{"name": "value", "type": "any"}]}},
  "events": {"tick": {}},
  "channels": {"orders": {"type": "topic", "persistent": true}, "jobs": {"type": "queue", "persistent": true}}
}`

// slowService is a service on a disk that stands still when it is told to.
type slowService struct {
	*ipc.Service
	fs      *barred
	orders  *Log
	address string
}

func startSlow(t *testing.T) *slowService {
	fs := &barred{waiting: make(chan struct{}, 1)}
	dir := t.TempDir()
	kept := open(t, filepath.Join(dir, "logs"), &Options{fs: fs, MaxWaiting: 1 << 20})
	m, err := ipc.ParseManifest([]byte(slowManifest))
	if err != nil {
		t.Fatal(err)
	}
	s := ipc.NewService(m, &ipc.ServiceOptions{Store: kept, Logger: slog.New(slog.DiscardHandler)})
	ipc.Handle(s, "echo", func(_ context.Context, v any) (any, error) { return v, nil })
	ctx, stop := context.WithCancel(context.Background())
	address := "unix:" + filepath.Join(dir, "s.sock")
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.Serve(ctx, address); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		fs.lift()
		stop()
		serving.Wait()
	})
	<-s.Ready()
	return &slowService{s, fs, openOne(t, kept, "orders", store.Limits{}), address}
}

func (s *slowService) dial(t *testing.T) *ipc.Client {
	t.Helper()
	c, err := ipc.Dial(t.Context(), s.address, &ipc.ClientOptions{MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// waits returns how much waits for the medium.
func (s *slowService) waits() int64 {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	return s.orders.waiting
}

// worksOtherwise makes sure that all is well with c but for what is kept.
func (s *slowService) worksOtherwise(t *testing.T, c *ipc.Client) {
	t.Helper()
	sub, err := c.Subscribe(t.Context(), "tick", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for i := range 100 {
		if got, err := c.Call(t.Context(), "echo", i); err != nil || got.String() != fmt.Sprint(i) {
			t.Fatalf("a call: %s, %v", got, err)
		}
		if err := c.Publish(t.Context(), "tick", i); err != nil {
			t.Fatal(err)
		}
		if e, err := sub.Next(t.Context()); err != nil || e.Data.String() != fmt.Sprint(i) || e.Gap != nil {
			t.Fatalf("an event: %+v, %v", e, err)
		}
	}
}

// refusal makes sure that err says to come again, since the disk is slow.
func refusal(t *testing.T, err error) {
	t.Helper()
	if e, ok := err.(*wire.Error); !ok || e.Code != wire.CodeOverloaded || e.Details.Executed != wire.ExecutedNo || e.Details.RetryAfter == 0 {
		t.Errorf("one too many: %v", err)
	}
}

// TestADiskStandsStillUnderAService is K8: whoever publishes what is kept
// waits, and when too many do, they are told so at once. Nobody else notices.
func TestADiskStandsStillUnderAService(t *testing.T) {
	s := startSlow(t)
	c, crowd := s.dial(t), s.dial(t)
	worker, err := c.Subscribe(t.Context(), "jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), "jobs", "before"); err != nil {
		t.Fatal(err)
	}
	job, err := worker.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	s.fs.lower()
	first := make(chan error, 1)
	go func() { first <- publishOnce(t.Context(), c, 0) }()
	<-s.fs.waiting
	s.worksOtherwise(t, c)
	if err := job.Ack(t.Context()); err != nil { // which is kept by and by
		t.Error(err)
	}
	impatient, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	before := s.waits()
	go func() { gaveUp <- s.Publish(impatient, "orders", "second") }()
	for s.waits() == before {
		runtime.Gosched()
	}
	giveUp()
	if e, ok := (<-gaveUp).(*wire.Error); !ok || e.Code != wire.CodeCancelled || e.Details.Executed != wire.ExecutedMaybe {
		t.Errorf("who would not wait any longer: %v", e)
	}

	// Many wait, from one connection and within the service.
	const publishers, mayWait = 600, 512
	outcomes := make(chan error, publishers)
	for i := range publishers {
		go func() { outcomes <- publishOnce(t.Context(), crowd, i) }()
	}
	for range publishers - mayWait {
		refusal(t, <-outcomes)
	}
	s.worksOtherwise(t, crowd)
	const large, mayNot = 20, 8
	own := make(chan error, large)
	for range large {
		go func() { own <- s.Publish(t.Context(), "orders", strings.Repeat("x", 100<<10)) }()
	}
	for range mayNot {
		refusal(t, <-own)
	}
	s.worksOtherwise(t, s.dial(t))
	if len(first)+len(outcomes) > 0 {
		t.Error("a publisher was told something while nothing was on the medium")
	}

	s.fs.lift()
	kept := 2 // with the one that nobody waited for
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range mayWait {
		if err := <-outcomes; err != nil {
			t.Error(err)
		}
		kept++
	}
	for range large - mayNot {
		if err := <-own; err == nil {
			kept++
		} else {
			refusal(t, err)
		}
	}
	if next := s.Next("orders").Seq; next != uint64(kept+1) {
		t.Errorf("%d are kept, and the next one is number %d", kept, next)
	}
}

// publishOnce publishes a small event that is kept.
func publishOnce(ctx context.Context, c *ipc.Client, n int) error {
	_, err := c.PublishWith(ctx, "orders", n, nil)
	return err
}
