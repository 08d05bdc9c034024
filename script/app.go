package script

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// app is one run of an app: the engine, the loop that turns it, and what the
// loop started for it.
//
// The loop takes turns. A turn hands the engine what has come since the last
// one, runs the microtasks, and takes the operations that the app left, as
// one string in each direction:
//
//	goroutines: calls, subscriptions, requests, fetch, stdin
//	     │ messages                        ▲ operations
//	     ▼                                 │
//	  inbox ──▶ step(inbox) ──▶ microtasks ──▶ collect()
//	               ▲                             │
//	               └── a timer is due ◀── wait ◀─┘
//
// The loop ends when nothing is left that could wake it: no call outstanding,
// no subscription, no service, no timer.
type app struct {
	Options
	file   string
	ctx    context.Context // the caller's
	bundle *bundle
	engine *engine
	inbox  *inbox

	// life ends when the loop has ended: everything the app started goes.
	life    context.Context
	end     context.CancelFunc
	workers sync.WaitGroup
	callers *crew // the workers that wait for answers

	wake    chan struct{} // holds a token when the loop must look again
	exit    int           // what process.exit said
	halted  atomic.Int64  // the exit code of a forced end, plus one
	serving atomic.Int64  // services whose Serve has not returned
	signals signals

	draining bool // the services were told to shut down; the loop's

	// What the app has open. Only the loop's goroutine uses the maps.
	links         map[uint64]*link
	services      map[uint64]*service
	subscriptions map[uint64]context.CancelFunc
	calls         calls
	streams       streams
	settlements   settlements
	requests      requests
	fetcher       fetcher
	input         input
	output        output
}

func newApp(ctx context.Context, file string, o Options) *app {
	a := &app{
		Options:       o,
		file:          file,
		ctx:           ctx,
		inbox:         newInbox(),
		wake:          make(chan struct{}, 1),
		links:         map[uint64]*link{},
		services:      map[uint64]*service{},
		subscriptions: map[uint64]context.CancelFunc{},
	}
	// What the app has begun outlives the caller's context by the moment
	// that an orderly end takes.
	a.life, a.end = context.WithCancel(context.WithoutCancel(ctx))
	a.callers = newCrew(&a.workers, a.life.Done())
	return a
}

// run bundles the app and runs it to its end.
func (a *app) run() (int, error) {
	defer a.workers.Wait()
	defer a.end()
	if err := a.load(); err != nil {
		return ExitFailed, err
	}
	defer a.engine.close()
	if a.bundle == nil {
		return a.exit, nil
	}
	release := a.watch()
	defer release()

	code, err := a.loop()
	a.goodbye()
	switch halted := a.halted.Load(); {
	case halted != 0:
		return int(halted - 1), nil
	case err == nil && a.output.err != nil:
		return ExitFailed, a.output.err
	}
	return code, err
}

// load bundles the app and starts the engine, both at once. An app that cannot
// be bundled leaves no bundle, and the exit code.
func (a *app) load() (err error) {
	var unreadable error
	bundled := make(chan *bundle)
	go func() {
		var b *bundle
		b, unreadable = bundleApp(a.ctx, a.file, a.Dir, a.Resolve)
		bundled <- b
	}()
	a.engine, err = newEngine(a.MemoryLimit, a.hostFunctions(), a.module)
	a.bundle = <-bundled
	switch {
	case err != nil || unreadable == nil:
	case a.ctx.Err() != nil:
		a.exit = ExitInterrupted
	default:
		io.WriteString(a.Stderr, unreadable.Error()+"\n")
		a.exit = ExitFailed
	}
	return err
}

// module is the engine's source of modules that are not the prelude's.
func (a *app) module(name string) (string, error) {
	if name == appModule {
		return a.bundle.text, nil
	}
	return a.computedImport(name)
}

// loop turns the engine until nothing is left to do, and returns the app's
// exit code.
func (a *app) loop() (int, error) {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	if _, err := a.engine.call(a.engine.start); err != nil {
		return a.ended(err)
	}
	for {
		left, err := a.turn()
		if err != nil {
			return a.ended(err)
		}
		var code int
		var done bool
		switch {
		case a.ending():
			code, done, err = a.drained()
		case left.refs == 0 && left.delay != 0 && a.inbox.empty():
			code, done, err = a.settle()
			left.delay = 0 // what the app did in there may be new work
		}
		switch {
		case err != nil:
			return a.ended(err)
		case done:
			return code, nil
		case left.delay != 0:
			a.wait(timer, left.delay)
		}
	}
}

// wait waits until there is a reason for another turn.
func (a *app) wait(timer *time.Timer, delay time.Duration) {
	if delay > 0 {
		timer.Reset(delay)
	} else {
		timer.Stop()
	}
	select {
	case <-a.inbox.ready:
	case <-timer.C:
	case <-a.wake:
	case <-a.life.Done():
	}
}

// remains says what the app still waits for.
type remains struct {
	delay time.Duration // until the next timer; negative: there is none
	refs  int           // what keeps the process alive
}

// turn runs one task and the microtasks that follow, and starts what the app
// asked for.
func (a *app) turn() (remains, error) {
	// What is about to arrive arrives first: a turn for many messages costs
	// little more than one for a single message.
	runtime.Gosched()
	if text := a.inbox.take(); text != "" {
		if _, err := a.engine.call(a.engine.step, text); err != nil {
			return remains{}, err
		}
	}
	if _, err := a.engine.call(a.engine.step, ""); err != nil {
		return remains{}, err
	}
	return a.collect()
}

// collect takes the operations of the turn and starts them.
func (a *app) collect() (remains, error) {
	text, err := a.engine.call(a.engine.collect)
	if err != nil {
		return remains{}, err
	}
	return a.begin(text)
}

// begin starts what collect returned.
func (a *app) begin(text string) (left remains, err error) {
	head, batch, _ := strings.Cut(text, opEnd)
	delay, refs, _ := strings.Cut(head, fieldEnd)
	milliseconds, err := strconv.ParseFloat(delay, 64)
	if err != nil {
		return left, err
	}
	if left.refs, err = strconv.Atoi(refs); err != nil {
		return left, err
	}
	left.delay = time.Duration(math.Ceil(milliseconds * float64(time.Millisecond)))
	a.operate(batch)
	return left, nil
}

// settle is called when nothing is left to wait for. It reports whether the
// app is done: what it does on beforeExit may give the loop new work.
func (a *app) settle() (code int, done bool, err error) {
	state, err := a.engine.call(a.engine.idle)
	if err != nil {
		return 0, false, err
	}
	left, err := a.collect()
	if err != nil || left.refs > 0 || left.delay == 0 || !a.inbox.empty() {
		return 0, false, err
	}
	a.flush(flushTimeout)
	if !a.inbox.empty() {
		return 0, false, nil // the last publish was refused: the app is told
	}
	if state == "pending" {
		io.WriteString(a.Stderr, "Warning: "+a.bundle.entry+" awaits something at its top level that nothing is left to settle\n")
	}
	text, err := a.engine.call(a.engine.leave)
	if err != nil {
		return 0, false, err
	}
	if code, err = strconv.Atoi(text); state == "pending" && code == 0 {
		code = ExitUnsettled
	}
	return code, true, err
}

// ended turns the end of a turn that was cut short into the app's exit code.
func (a *app) ended(err error) (int, error) {
	if broken, ok := errors.AsType[*engineError](err); ok {
		io.WriteString(a.Stderr, "Uncaught "+broken.Error()+"\n")
		return ExitFailed, nil
	}
	if !errors.Is(err, errInterrupted) {
		return ExitFailed, err
	}
	if !a.engine.exiting || a.engine.stopped.Load() {
		return ExitInterrupted, nil // run knows better
	}
	// process.exit: what the app published before is still delivered.
	if text, err := a.engine.lastWords(a.engine.collect); err == nil {
		a.begin(text)
		a.flush(flushTimeout)
	}
	return a.exit, nil
}
