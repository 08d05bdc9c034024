package script

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"modernc.org/quickjs"
)

// The names under which the engine knows the modules that are not files.
const (
	appModule      = "ekko:app"      // the app, bundled into one module
	faceModule     = "ekko:ipc"      // what @ekkojs/ipc exports
	internalModule = "ekko:internal" // what the generated ipc: modules use
)

// While the prelude runs, globalThis.__ekko is what it builds, and the host
// functions are globals that begin with hostPrefix. Neither is left when the
// app starts.
const hostPrefix = "__ekko_"

// errInterrupted is the end of a turn that was cut short: by process.exit, by
// the run's context or by a signal.
var errInterrupted = errors.New("interrupted")

// hostFunc is a Go function that the prelude calls. An error is thrown.
type hostFunc = quickjs.HostFunc

// engine is the JavaScript virtual machine with the prelude in it. Only the
// goroutine that made it may use it, but for stop.
//
// Strings are all that crosses between Go and JavaScript: objects would have
// to be kept alive on both sides, and the string of a whole batch costs less
// than the conversion of its parts.
type engine struct {
	vm      *quickjs.VM
	release func() // ends the tracking of rejections

	step    quickjs.Value // step(inbox): one task
	collect quickjs.Value // collect(): what the turn left to do
	start   quickjs.Value // start(): imports the app
	idle    quickjs.Value // idle(): there is nothing left to wait for
	leave   quickjs.Value // leave(): the app ends by itself; its exit code

	// load returns the text of a module that is not the prelude's: the app,
	// and the services that it imports by a computed name.
	load func(name string) (string, error)

	exiting bool        // process.exit was called: the running turn ends
	stopped atomic.Bool // no further turn; see stop
}

// newEngine starts a virtual machine with at most memory bytes and runs the
// prelude, which calls functions by their names.
func newEngine(memory uint64, functions map[string]hostFunc, load func(name string) (string, error)) (*engine, error) {
	vm, err := quickjs.NewVM()
	if err != nil {
		return nil, fmt.Errorf("script: start the engine: %w", err)
	}
	e := &engine{vm: vm, load: load}
	if err := e.boot(memory, functions); err != nil {
		e.close()
		return nil, fmt.Errorf("script: start the engine: %w", err)
	}
	return e, nil
}

func (e *engine) boot(memory uint64, functions map[string]hostFunc) error {
	e.vm.SetMemoryLimit(uintptr(memory))
	e.vm.SetModuleLoader(e.module, func(_ *quickjs.VM, _, name string) (string, error) { return name, nil })
	for name, fn := range functions {
		if err := e.vm.RegisterHostFunc(hostPrefix+name, fn); err != nil {
			return err
		}
	}
	if err := e.runPrelude(); err != nil {
		return err
	}
	for name, value := range e.entries() {
		var err error
		if *value, err = e.vm.EvalValue("__ekko."+name, quickjs.EvalGlobal); err != nil {
			return err
		}
	}
	var err error
	if e.release, err = trackRejections(e.vm, hostPrefix+"track"); err != nil {
		return err
	}
	_, err = e.vm.Eval("__ekko.seal()", quickjs.EvalGlobal)
	return err
}

// entries are the functions of the prelude that the loop calls.
func (e *engine) entries() map[string]*quickjs.Value {
	return map[string]*quickjs.Value{
		"step": &e.step, "collect": &e.collect, "start": &e.start, "idle": &e.idle, "leave": &e.leave,
	}
}

// runPrelude runs the prelude's files in their order, then the modules through
// which bundled code reaches it.
func (e *engine) runPrelude() error {
	if _, err := e.vm.Eval("void (globalThis.__ekko = Object.create(null))", quickjs.EvalGlobal); err != nil {
		return err
	}
	for _, name := range preludeFiles {
		text, err := preludeText(name)
		if err != nil {
			return err
		}
		if _, err := e.vm.Eval("void ("+text+"\n)(__ekko)", quickjs.EvalGlobal); err != nil {
			return fmt.Errorf("prelude %s: %w", name, err)
		}
	}
	for _, name := range []string{faceModule, internalModule} {
		if _, err := e.vm.Eval("void import('"+name+"')", quickjs.EvalGlobal); err != nil {
			return err
		}
	}
	return e.drain()
}

// module is the engine's module loader.
func (e *engine) module(_ *quickjs.VM, name string) (string, error) {
	switch name {
	case faceModule:
		return "export const { " + strings.Join(faceExports, ", ") + " } = __ekko.face;", nil
	case internalModule:
		return "export const { open, bind, fail } = __ekko;", nil
	}
	return e.load(name)
}

// call enters JavaScript, runs the microtasks that follow, and returns the
// function's string.
func (e *engine) call(fn quickjs.Value, args ...any) (string, error) {
	if e.stopped.Load() {
		return "", errInterrupted
	}
	result, err := fn.Call(quickjs.UndefinedValue, args...)
	if err == nil && !e.exiting {
		err = e.drain()
	}
	switch {
	case e.exiting || e.stopped.Load():
		return "", errInterrupted
	case err != nil:
		return "", &engineError{err}
	}
	text, _ := result.(string)
	return text, nil
}

// engineError is an exception that left the prelude, which lets none of the
// app's through: there was no memory to go on.
type engineError struct{ err error }

func (e *engineError) Error() string {
	return "the engine cannot go on: " + e.err.Error() + ": is the memory limit reached?"
}

// lastWords enters JavaScript once more after exit, without the microtasks:
// nothing of the app runs any more.
func (e *engine) lastWords(fn quickjs.Value) (string, error) {
	e.exiting = false
	result, err := fn.Call(quickjs.UndefinedValue)
	text, _ := result.(string)
	return text, err
}

// drain runs microtasks until none is left. The wrapper returns after a
// million of them, so that a chain that feeds itself for ever comes by here.
func (e *engine) drain() error {
	const most = 1 << 20
	for {
		n, err := e.vm.ExecutePendingJobs()
		if n < most || e.stopped.Load() {
			return err
		}
	}
}

// exit ends the running JavaScript as soon as the host function that calls
// exit returns. No catch and no finally block runs.
func (e *engine) exit() {
	e.exiting = true
	e.vm.Interrupt()
}

// stop ends the running JavaScript, from any goroutine, and refuses further
// turns. The engine forgets an interrupt that reaches it between two turns,
// so the caller repeats it until the loop has ended.
func (e *engine) stop() {
	e.stopped.Store(true)
	e.vm.Interrupt()
}

// close frees the machine. stop may still be called.
func (e *engine) close() {
	for _, value := range e.entries() {
		if value.VM() != nil {
			value.Free()
		}
	}
	if e.release != nil {
		e.release()
	}
	e.vm.Close()
}
