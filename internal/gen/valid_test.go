package gen

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/manifest"
)

// library is as much of the library as generated code uses. That it is like
// the library itself is what vetting the golden files shows.
const library = `package ipc

import ("context"; "iter")

type Raw []byte
type Code string
const CodeUnimplemented Code = ""
type Manifest struct{}
type ClientOptions struct{}
type ServiceOptions struct{}
type SubscribeOptions struct{}
type Subscription struct{}
type Event struct{}
type Client struct{}
type Service struct{}
type Request struct{}
type Stream struct{}
type Handler func(ctx context.Context, r *Request) (any, error)
func (Raw) Decode(v any) error
func (*Client) Close() error
func (*Client) Call(ctx context.Context, method string, args ...any) (Raw, error)
func (*Client) Stream(ctx context.Context, method string, args ...any) (*Stream, error)
func (*Client) Publish(ctx context.Context, event string, data any) error
func (*Stream) Send(ctx context.Context, item any) error
func (*Stream) Recv(ctx context.Context) (Raw, error)
func (*Stream) Result(ctx context.Context) (Raw, error)
func (*Stream) CloseSend() error
func (*Stream) Close() error
func (*Service) Handle(name string, h Handler)
func (*Service) Serve(ctx context.Context, addresses ...string) error
func (*Service) Publish(ctx context.Context, event string, data any) error
func (*Request) Args() ([]Raw, error)
func (*Request) Decode(targets ...any) error
func (*Request) Send(ctx context.Context, item any) error
func Dial(ctx context.Context, target string, opts *ClientOptions) (*Client, error)
func NewService(m *Manifest, opts *ServiceOptions) *Service
func Errorf(code Code, format string, args ...any) error
func Call[Res any](ctx context.Context, c *Client, method string, args ...any) (Res, error)
func StreamOf[Item any](ctx context.Context, c *Client, method string, args ...any) iter.Seq2[Item, error]
func SubscribeWith[T any](ctx context.Context, c *Client, pattern string, opts *SubscribeOptions, fn func(ctx context.Context, data T, e *Event)) (*Subscription, error)
func HandleItems[Item, Res any](s *Service, method string, fn func(ctx context.Context, r *Request, items iter.Seq2[Item, error]) (Res, error))
`

// imports finds the library above, and the packages of Go itself.
type imports struct {
	standard types.Importer
	library  *types.Package
}

func (i *imports) Import(path string) (*types.Package, error) {
	if path == "github.com/ekkojs/ipc" {
		return i.library, nil
	}
	return i.standard.Import(path)
}

var checker = sync.OnceValue(func() *imports {
	fset := token.NewFileSet()
	i := &imports{standard: importer.ForCompiler(fset, "source", nil)}
	f, err := parser.ParseFile(fset, "ipc.go", library, 0)
	if err != nil {
		panic(err)
	}
	c := types.Config{Importer: i.standard, IgnoreFuncBodies: true, Error: func(error) {}} // bodies are missing
	i.library, _ = c.Check("github.com/ekkojs/ipc", fset, []*ast.File{f}, nil)
	return i
})

// checkGo holds what is written for Go to the compiler's rules.
func checkGo(m *manifest.Manifest) error {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, write := range []func(*manifest.Manifest, string) ([]byte, error){Go, GoSkeleton} {
		text, err := write(m, "drawn")
		if err != nil {
			return err
		}
		again, err := format.Source(text)
		if err != nil || !bytes.Equal(text, again) {
			return fmt.Errorf("gofmt writes it in another way (%v):\n%s", err, text)
		}
		f, err := parser.ParseFile(fset, fmt.Sprint(len(files), ".go"), text, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, text)
		}
		if err := noDirectives(f); err != nil {
			return fmt.Errorf("%w\n%s", err, text)
		}
		files = append(files, f)
	}
	c := types.Config{Importer: checker()}
	if _, err := c.Check("drawn", fset, files, nil); err != nil {
		return err
	}
	return nil
}

// noDirectives reports a comment that a tool would obey.
func noDirectives(f *ast.File) error {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "// ") && c.Text != "//" && !strings.HasPrefix(c.Text, "//\t") || c.Pos() < f.Package && strings.Contains(c.Text, "+build") {
				return fmt.Errorf("comment %q", c.Text)
			}
		}
	}
	return nil
}

// checkTypeScript looks for the end of each comment, string and bracket of the
// module, and that nothing stands outside of it.
func checkTypeScript(text string) error {
	text, _, _ = strings.Cut(text, "/** What all services have in common. */")
	var open []byte
	var outside strings.Builder
	for i := 0; i < len(text); i++ {
		end := 0
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "/*"):
			end = strings.Index(text[i+2:], "*/") + 4
			if end == 3 {
				return fmt.Errorf("a comment does not end: %.80q", text[i:])
			}
		case strings.HasPrefix(text[i:], "//"):
			end = strings.IndexAny(text[i:], "\n\r\u2028\u2029")
		case c == '\'':
			if end = stringEnd(text[i:]); end == 0 {
				return fmt.Errorf("a string does not end: %.80q", text[i:])
			}
		case c == '`' || c == '"' || c == '\\' || c >= 0x7f || c < ' ' && c != '\n':
			return fmt.Errorf("%q stands free: %.80q", c, text[i:])
		case c == '{' || c == '[' || c == '(':
			open = append(open, c)
		case c == '}' || c == ']' || c == ')':
			if len(open) == 0 || open[len(open)-1] != c-1-(c>>6) {
				return fmt.Errorf("%q closes nothing: %.80q", c, text[i:])
			}
			open = open[:len(open)-1]
			if len(open) == 0 {
				outside.WriteByte(c)
			}
		case len(open) == 0:
			outside.WriteByte(c)
		}
		if end > 0 {
			i += end - 1
		}
	}
	if got := strings.Join(strings.Fields(outside.String()), " "); len(open) > 0 || got != "declare module } interface EkkoIpcServices } interface EkkoIpcContracts }" {
		return fmt.Errorf("outside of the module stands %q", got)
	}
	return nil
}

func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '\'':
			return i + 1
		case strings.ContainsAny(text[i:i+1], "\n\r"):
			return 0
		}
	}
	return 0
}

// check holds all that is written of a manifest to what is promised.
func check(m *manifest.Manifest) error {
	if err := checkGo(m); err != nil {
		return err
	}
	text := TypeScript([]Service{{m.Service.Name, m}})
	if err := checkTypeScript(string(text)); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	again, err := manifest.Parse(m.Raw())
	if err != nil {
		return nil // a reserved name: it is not read again without an option
	}
	if !bytes.Equal(text, TypeScript([]Service{{m.Service.Name, again}})) || !bytes.Equal(Markdown(m), Markdown(again)) {
		return fmt.Errorf("the same manifest gives another text")
	}
	return nil
}

func TestAnyManifest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := check(goodManifest().Draw(t, "manifest")); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.ekko.ipc.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := manifest.Parse(text)
		if err != nil {
			return
		}
		if err := check(m); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDeepTypes: what lies deep within something is not written once for each
// level above it.
func TestDeepTypes(t *testing.T) {
	const depth = 25
	text := `{"service":{"name":"deep"},"types":{"Deep":` + strings.Repeat(`{"inner":`, depth) + `"string"` + strings.Repeat("}", depth) + "}}"
	m, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := check(m); err != nil {
		t.Error(err)
	}
	if got := strings.Count(string(Markdown(m)), "inner"); got != depth {
		t.Errorf("%d members are written as %d", depth, got)
	}
}
