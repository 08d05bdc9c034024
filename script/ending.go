package script

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// drainTimeout is how long running requests may take when the app is
	// told to end.
	drainTimeout = 5 * time.Second

	// flushTimeout is how long the app's last events may take to arrive.
	flushTimeout = 2 * time.Second

	// patience is how long a turn may go on after the context has ended. An
	// app that waits ends at once; this is for one that computes.
	patience = 250 * time.Millisecond
)

// signals is what the app and the world agree on about its end.
type signals struct {
	mu     sync.Mutex
	wanted map[string]bool // those that the app listens to itself
	asked  bool            // the app is to end in good order
	code   int             // its exit code then
}

// want notes whether the app listens to a signal.
func (s *signals) want(name string, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted == nil {
		s.wanted = map[string]bool{}
	}
	s.wanted[name] = wanted
}

func (s *signals) isWanted(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted[name]
}

// ask notes that the app is to end, and reports whether that is news.
func (s *signals) ask(code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked {
		return false
	}
	s.asked, s.code = true, code
	return true
}

func (s *signals) state() (asked bool, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.code
}

// watch hears signals and the context's end while the engine may be busy. The
// function returned ends it.
func (a *app) watch() (release func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ended, signals := a.ctx.Done(), a.Signals
		overdue := time.NewTimer(time.Hour)
		overdue.Stop()
		defer overdue.Stop()
		for {
			select {
			case <-done:
				return
			case s, open := <-signals:
				if !open {
					signals = nil
				} else if asked := a.signal(s); asked {
					overdue.Reset(drainTimeout + patience)
				}
			case <-ended:
				ended = nil
				overdue.Reset(a.contextEnded())
			case <-overdue.C:
				_, code := a.signals.state()
				a.halt(code, done)
				return
			}
			if a.halted.Load() != 0 {
				a.halt(int(a.halted.Load()-1), done)
				return
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
	}
}

// signal does what a signal means to the app: it hears of it, or it stops
// serving, or it ends on the spot. It reports whether the app was asked to end.
func (a *app) signal(s os.Signal) (asked bool) {
	name, code := signalName(s)
	switch {
	case name == "":
		return false
	case a.signals.isWanted(name):
		a.inbox.put(func(dst []byte) []byte { return append(append(append(dst, `"signal","`...), name...), '"') })
		return false
	case a.serving.Load() > 0:
		after := code
		if s == syscall.SIGTERM {
			after = 0 // what a service manager sends: obeying it is no failure
		}
		if a.signals.ask(after) {
			a.look()
			return true
		}
	}
	a.halted.Store(int64(code) + 1)
	return false
}

// contextEnded asks the app to end and returns how long it may take.
func (a *app) contextEnded() time.Duration {
	defer a.look()
	if a.serving.Load() > 0 {
		a.signals.ask(0)
		return drainTimeout + patience
	}
	a.signals.ask(ExitInterrupted)
	return patience
}

// halt ends the app on the spot. The engine forgets an interrupt that comes
// between two turns, so it is repeated until the loop has ended.
func (a *app) halt(code int, ended <-chan struct{}) {
	a.halted.Store(int64(code) + 1)
	a.end()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		a.engine.stop()
		select {
		case <-again.C:
		case <-ended:
			return
		}
	}
}

// look has the loop look again.
func (a *app) look() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// ending reports whether the app was asked to end.
func (a *app) ending() bool {
	asked, _ := a.signals.state()
	return asked
}

// drained is called after each turn of an app that was asked to end. It
// reports whether all running requests are through.
func (a *app) drained() (code int, done bool, err error) {
	_, code = a.signals.state()
	if !a.draining {
		if a.serving.Load() == 0 {
			return code, true, nil
		}
		a.draining = true
		for _, s := range a.services {
			a.shutdown(s)
		}
	}
	if a.serving.Load() > 0 || !a.inbox.empty() {
		return 0, false, nil
	}
	a.flush(flushTimeout)
	_, err = a.engine.call(a.engine.leave)
	return code, err == nil, err
}

// flush waits until the services have what the app published.
func (a *app) flush(timeout time.Duration) {
	ctx, cancel := context.WithTimeout(a.life, timeout)
	defer cancel()
	var flushes sync.WaitGroup
	for _, l := range a.links {
		flushes.Go(func() { l.flush(ctx) })
	}
	flushes.Wait()
}

// goodbye ends everything the app has begun. Requests that still run are told
// that the service is shutting down: nobody turns the engine any more.
func (a *app) goodbye() {
	a.end()
	var closings sync.WaitGroup
	for _, l := range a.links {
		closings.Go(l.close)
	}
	closings.Wait()
	a.fetcher.close()
	a.input.close()
}

// signalName returns what JavaScript calls a signal, and the exit code of a
// process that it kills.
func signalName(s os.Signal) (name string, code int) {
	switch s {
	case os.Interrupt:
		return "SIGINT", ExitInterrupted
	case syscall.SIGTERM:
		return "SIGTERM", ExitTerminated
	case syscall.SIGHUP:
		return "SIGHUP", 129
	}
	return "", 0
}
