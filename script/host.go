package script

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
	"modernc.org/quickjs"
	"modernc.org/quickjs/intl"
)

// began is where the clock of performance.now starts.
var began = time.Now()

// hostFunctions are the Go functions that the prelude calls and waits for.
// What takes its time is an operation instead.
func (a *app) hostFunctions() map[string]hostFunc {
	return map[string]hostFunc{
		"write":      a.hostWrite,
		"writeBytes": a.hostWriteBytes,
		"now":        func([]any) (any, error) { return float64(time.Since(began)) / float64(time.Millisecond), nil },
		"exit":       a.hostExit,
		"watch":      a.hostWatch,
		"facts":      a.hostFacts,
		"source":     func(args []any) (any, error) { return preludeText(argument[string](args, 0)) },
		"stack":      func(args []any) (any, error) { return a.bundle.mapStack(argument[string](args, 0)), nil },
		"random":     hostRandom,
		"encode":     hostEncode,
		"decode":     hostDecode,
		"intl":       func([]any) (any, error) { return nil, intl.Register(a.engine.vm) },
	}
}

// argument returns an argument of a host function; the zero value if it is
// not there.
func argument[T any](args []any, i int) T {
	var zero T
	if i < len(args) {
		if v, ok := args[i].(T); ok {
			return v
		}
	}
	return zero
}

// output is where an app writes.
type output struct {
	err error // the first failure; later output is thrown away
}

// hostWrite writes at once: what an app has printed is there when it crashes.
func (a *app) hostWrite(args []any) (any, error) {
	a.print(argument[int](args, 0), argument[string](args, 1))
	return nil, nil
}

func (a *app) hostWriteBytes(args []any) (any, error) {
	text, err := base64.StdEncoding.DecodeString(argument[string](args, 1))
	a.print(argument[int](args, 0), string(text))
	return nil, err
}

// print writes to one of the app's outputs. When nobody reads it any more the
// app ends.
func (a *app) print(fd int, text string) {
	w := a.Stdout
	if fd == 2 {
		w = a.Stderr
	}
	if a.output.err != nil {
		return
	}
	if _, err := io.WriteString(w, text); err != nil {
		a.output.err = err
		a.exit = ExitFailed
		a.engine.exit()
	}
}

func (a *app) hostExit(args []any) (any, error) {
	a.exit = argument[int](args, 0)
	a.engine.exit()
	return nil, nil
}

func (a *app) hostWatch(args []any) (any, error) {
	a.signals.want(argument[string](args, 0), argument[bool](args, 1))
	return nil, nil
}

// hostFacts tells what process says of the process.
func (a *app) hostFacts([]any) (any, error) {
	env := map[string]string{}
	for _, pair := range a.Env {
		if name, value, found := strings.Cut(pair, "="); found && name != "" {
			env[name] = value
		}
	}
	self, err := os.Executable()
	if err != nil {
		self = "ekko-ipc"
	}
	columns := []int{terminalWidth(a.Stdin), terminalWidth(a.Stdout), terminalWidth(a.Stderr)}
	facts, err := json.Marshal(map[string]any{
		"argv":     append([]string{self, a.file}, a.Args...),
		"env":      env,
		"dir":      a.Dir,
		"pid":      os.Getpid(),
		"ppid":     os.Getppid(),
		"platform": nodePlatform(),
		"arch":     nodeArch(),
		"version":  "v" + version(),
		"quickjs":  quickjs.Version(),
		"columns":  columns,
		"colors":   []bool{false, wantsColor(columns[1] > 0, env), wantsColor(columns[2] > 0, env)},
	})
	return string(facts), err
}

// terminalWidth returns how many columns the terminal at the other end of
// stream has, and 0 if there is none. It leaves the descriptor as it is:
// os.File.Fd would make it a blocking one.
func terminalWidth(stream any) (columns int) {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	conn.Control(func(fd uintptr) {
		if !term.IsTerminal(int(fd)) {
			return
		}
		columns = 80
		if width, _, err := term.GetSize(int(fd)); err == nil && width > 0 {
			columns = width
		}
	})
	return columns
}

// wantsColor follows the conventions of NO_COLOR and FORCE_COLOR.
func wantsColor(terminal bool, env map[string]string) bool {
	if force, set := env["FORCE_COLOR"]; set {
		return force != "0" && force != "false"
	}
	return terminal && env["NO_COLOR"] == "" && env["TERM"] != "dumb"
}

// nodePlatform returns what Node calls the system, since apps ask for that.
func nodePlatform() string {
	if runtime.GOOS == "windows" {
		return "win32"
	}
	return runtime.GOOS
}

func nodeArch() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	}
	return runtime.GOARCH
}

// version returns the release of this module, as far as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == "github.com/ekkojs/ipc" && strings.HasPrefix(m.Version, "v") {
				return m.Version[1:]
			}
		}
	}
	return "0.0.0"
}

// hostRandom returns n random bytes. Bytes cross as base64, for which the
// engine has functions of its own.
func hostRandom(args []any) (any, error) {
	bytes := make([]byte, max(0, argument[int](args, 0)))
	rand.Read(bytes)
	return base64.StdEncoding.EncodeToString(bytes), nil
}

// hostEncode returns the UTF-8 of a string.
func hostEncode(args []any) (any, error) {
	return base64.StdEncoding.EncodeToString([]byte(argument[string](args, 0))), nil
}

// hostDecode is the way back. It returns null for bytes that are not UTF-8
// when the second argument asks for it; else they become U+FFFD.
func hostDecode(args []any) (any, error) {
	bytes, err := base64.StdEncoding.DecodeString(argument[string](args, 0))
	if err != nil {
		return nil, err
	}
	if utf8.Valid(bytes) {
		return string(bytes), nil
	}
	if argument[bool](args, 1) {
		return nil, nil
	}
	return decodeLossy(bytes), nil
}

// decodeLossy replaces malformed bytes as the Encoding standard has it: one
// U+FFFD for each longest beginning of a character that was cut short.
func decodeLossy(bytes []byte) string {
	var b strings.Builder
	for len(bytes) > 0 {
		r, size := utf8.DecodeRune(bytes)
		if r == utf8.RuneError && size == 1 {
			size = cutShort(bytes)
		}
		b.WriteRune(r)
		bytes = bytes[size:]
	}
	return b.String()
}

// cutShort returns how many bytes at the start belong to one character that
// ends too early; at least 1.
func cutShort(bytes []byte) int {
	var more int
	low, high := byte(0x80), byte(0xBF)
	switch lead := bytes[0]; {
	case lead >= 0xC2 && lead <= 0xDF:
		more = 1
	case lead >= 0xE0 && lead <= 0xEF:
		more = 2
		switch lead {
		case 0xE0:
			low = 0xA0
		case 0xED:
			high = 0x9F
		}
	case lead >= 0xF0 && lead <= 0xF4:
		more = 3
		switch lead {
		case 0xF0:
			low = 0x90
		case 0xF4:
			high = 0x8F
		}
	}
	n := 1
	for ; n <= more && n < len(bytes); n++ {
		if bytes[n] < low || bytes[n] > high {
			break
		}
		low, high = 0x80, 0xBF
	}
	return n
}
