package script

import (
	"errors"
	"reflect"
	"sync"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
	"modernc.org/quickjs"
)

// The engine tells its host of promises that are rejected while nobody
// listens, and of those that somebody listens to later. The Go wrapper does
// not pass that on, and nothing written in JavaScript can stand in for it: the
// promise of an async function never meets the prelude. Lowering async
// functions to generators would show them all, at half the speed and with
// stacks that nobody can read. So the tracker is set on the engine itself,
// whose handle is read out of the wrapper.

var errUnknownWrapper = errors.New("this release of modernc.org/quickjs is not known: unhandled rejections could not be seen")

// rejections is the tracker of one virtual machine: the function of the
// prelude that the engine is to call with (promise, reason, handled).
type rejections struct {
	tls   *libc.TLS
	ctx   uintptr
	track lib.TJSValue
	args  uintptr // memory of the engine's for its three arguments
}

// trackers finds the rejections by the number that the engine hands back: a
// Go pointer must not be left with it.
var trackers struct {
	sync.Mutex
	last uintptr
	by   map[uintptr]*rejections
}

// trackRejections has the engine call the prelude's function that is the
// global named name. The function returned ends that, and must be called
// before the machine is closed.
func trackRejections(vm *quickjs.VM, name string) (release func(), err error) {
	r, runtime, err := handleOf(vm)
	if err != nil {
		return nil, err
	}
	cname, err := libc.CString(name)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(r.tls, cname)
	if r.args = libc.Xmalloc(r.tls, libc.Tsize_t(unsafe.Sizeof([3]lib.TJSValue{}))); r.args == 0 {
		return nil, errors.New("no memory")
	}
	global := lib.XJS_GetGlobalObject(r.tls, r.ctx)
	defer lib.XFreeValue(r.tls, r.ctx, global)
	r.track = lib.XJS_GetPropertyStr(r.tls, r.ctx, global, cname)

	trackers.Lock()
	defer trackers.Unlock()
	if trackers.by == nil {
		trackers.by = map[uintptr]*rejections{}
	}
	trackers.last++
	id := trackers.last
	trackers.by[id] = r
	lib.XJS_SetHostPromiseRejectionTracker(r.tls, runtime, functionPointer(rejected), id)
	return func() {
		lib.XJS_SetHostPromiseRejectionTracker(r.tls, runtime, 0, 0)
		lib.XFreeValue(r.tls, r.ctx, r.track)
		libc.Xfree(r.tls, r.args)
		trackers.Lock()
		defer trackers.Unlock()
		delete(trackers.by, id)
	}, nil
}

// rejected is what the engine calls, in the middle of running JavaScript.
func rejected(tls *libc.TLS, ctx uintptr, promise, reason lib.TJSValue, handled int32, id uintptr) {
	trackers.Lock()
	r := trackers.by[id]
	trackers.Unlock()
	if r == nil {
		return
	}
	// The memory is not Go's, so its address is reinterpreted, not converted.
	args := *(**[3]lib.TJSValue)(unsafe.Pointer(&r.args))
	*args = [3]lib.TJSValue{promise, reason, lib.XNewInt32(tls, ctx, handled)}
	lib.XFreeValue(tls, ctx, lib.XJS_Call(tls, ctx, r.track, r.track, int32(len(args)), r.args))
}

// handleOf reads the engine's handles from the wrapper's unexported fields,
// each of which must have the name and the type expected.
func handleOf(vm *quickjs.VM) (*rejections, uintptr, error) {
	machine := reflect.ValueOf(vm).Elem()
	runtime := machine.FieldByName("runtime")
	if !runtime.IsValid() || runtime.Kind() != reflect.Pointer || runtime.IsNil() || runtime.Type().Elem().Kind() != reflect.Struct {
		return nil, 0, errUnknownWrapper
	}
	tls := runtime.Elem().FieldByName("tls")
	handle := runtime.Elem().FieldByName("cRuntime")
	context := machine.FieldByName("cContext")
	if !tls.IsValid() || tls.Type() != reflect.TypeFor[*libc.TLS]() || !isHandle(handle) || !isHandle(context) {
		return nil, 0, errUnknownWrapper
	}
	r := &rejections{tls: (*libc.TLS)(tls.UnsafePointer()), ctx: uintptr(context.Uint())}
	return r, uintptr(handle.Uint()), nil
}

func isHandle(v reflect.Value) bool {
	return v.IsValid() && v.Kind() == reflect.Uintptr && v.Uint() != 0
}

type rejectionTracker func(tls *libc.TLS, ctx uintptr, promise, reason lib.TJSValue, handled int32, opaque uintptr)

// functionPointer returns f as the translated C code knows functions.
func functionPointer(f rejectionTracker) uintptr {
	return *(*uintptr)(unsafe.Pointer(&f))
}
