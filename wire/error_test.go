package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestErrorf(t *testing.T) {
	cause := errors.New("no route")
	e := Errorf(CodeDaemonUnavailable, "dial %s: %w", "unix:/x", cause)
	if got := e.Error(); got != "DAEMON_UNAVAILABLE: dial unix:/x: no route" {
		t.Errorf("says %q", got)
	}
	if e.Cause != cause || !errors.Is(e, cause) {
		t.Errorf("cause is %v", e.Cause)
	}
	if e.Details.Executed != ExecutedNo || !e.Details.Retryable {
		t.Errorf("details are %+v", e.Details)
	}
	if e := Errorf(CodeInternal, "%w and %w", cause, context.Canceled); !errors.Is(e, cause) || !errors.Is(e, context.Canceled) {
		t.Errorf("two causes are %v", e.Cause)
	}
	if e := Errorf(CodeNotFound, "plain"); e.Cause != nil {
		t.Errorf("cause is %v", e.Cause)
	}
	if got := (&Error{Code: CodeNotFound}).Error(); got != "NOT_FOUND" {
		t.Errorf("without a message says %q", got)
	}
}

func TestErrorIs(t *testing.T) {
	err := fmt.Errorf("while calling: %w", Errorf(CodeNotFound, "user 7"))
	for _, c := range []struct {
		target error
		want   bool
	}{
		{CodeNotFound, true},
		{CodeConflict, false},
		{&Error{Code: CodeNotFound}, true},
		{&Error{Code: CodeNotFound, Message: "user 7"}, false},
		{&Error{Code: CodeConflict}, false},
		{(*Error)(nil), false},
		{context.Canceled, false},
	} {
		if errors.Is(err, c.target) != c.want {
			t.Errorf("Is %#v is %t", c.target, !c.want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{Errorf(CodeConflict, "x"), CodeConflict},
		{fmt.Errorf("y: %w", Errorf(CodeConflict, "x")), CodeConflict},
		{CodeDuplicate, CodeDuplicate},
		{fmt.Errorf("y: %w", CodeDuplicate), CodeDuplicate},
		{errors.Join(errors.New("a"), Errorf(CodeConflict, "x")), CodeConflict},
		{context.DeadlineExceeded, CodeDeadlineExceeded},
		{fmt.Errorf("y: %w", context.Canceled), CodeCancelled},
		{Errorf(CodeConnectionLost, "x: %w", context.Canceled), CodeConnectionLost},
		{errors.New("anything"), CodeInternal},
		{&Error{}, CodeInternal},
		{(*Error)(nil), CodeInternal},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("CodeOf(%v) is %q, want %q", c.err, got, c.want)
		}
	}
}

// Every constant is in the table, once, and under a name that is its own.
func TestCodesAreAllThere(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			constants[text] = spec.Names[0].Name
		}
		return true
	})
	for _, row := range Codes() {
		name, found := constants[string(row.Code)]
		if !found {
			t.Errorf("%s has no constant, or is in the table twice", row.Code)
			continue
		}
		delete(constants, string(row.Code))
		if want := "code" + strings.ReplaceAll(strings.ToLower(string(row.Code)), "_", ""); strings.ToLower(name) != want {
			t.Errorf("%s is the constant %s", row.Code, name)
		}
		if row.Meaning == "" || row.Retryable == "" || row.MadeBy == "" || !row.Code.Known() {
			t.Errorf("the row of %s is not complete", row.Code)
		}
		if row.retryable != strings.HasPrefix(row.Retryable, "yes") {
			t.Errorf("%s: retryable %t, and %q", row.Code, row.retryable, row.Retryable)
		}
		if row.retryable && row.Executed == ExecutedYes {
			t.Errorf("%s would have work done twice", row.Code)
		}
	}
	for text := range constants {
		t.Errorf("%s is not in the table", text)
	}
	rows := Codes()
	rows[0].Code = "CHANGED"
	if Codes()[0].Code == "CHANGED" {
		t.Error("the table can be changed from outside")
	}
}

func TestAppCodes(t *testing.T) {
	for code, want := range map[Code]bool{
		"APP_ERROR": true, "APP_OUT_OF_TEA": true, "APP_404": true,
		"APP_": false, "APP": false, "APP_tea": false, "APP_TE A": false, "XAPP_TEA": false, "": false, "INTERNAL": false,
	} {
		if code.IsApp() != want {
			t.Errorf("%q.IsApp() is %t", code, !want)
		}
	}
	if Code("APP_X").Executed() != ExecutedYes || Code("NEW").Executed() != ExecutedMaybe || Code("NEW").Known() || Code("NEW").Retryable() {
		t.Error("the defaults of codes outside the table are wrong")
	}
}

// cyclic holds itself, which neither encoding/json nor fmt can print.
func cyclic() any {
	m := map[string]any{}
	m["me"] = m
	return m
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("will not") }

// Whatever a handler puts into the details, the answer is valid JSON and the
// rest of it arrives.
func TestErrorDetailsOfAnyKind(t *testing.T) {
	deep := json.RawMessage(strings.Repeat("[", 60) + strings.Repeat("]", 60))
	e := &Error{Code: CodeAppError, Message: "m", Details: Details{Executed: ExecutedYes, More: map[string]any{
		"channel": make(chan int), "nan": math.NaN(), "cyclic": cyclic(), "failing": failing{}, "nil": nil, "error": errors.New("inner"),
		"twice": json.RawMessage(`{"a":1,"a":2}`), "broken": json.RawMessage(`{"a"`), "deep": deep, "bad": "\xff", "markup": "<b>",
		"executed": "forged", "retryable": "forged", "path": "forged", "ok": []int{1, 2},
	}}}
	raw := e.AppendJSON(nil)
	if err := DefaultLimits.Valid(raw); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	got := DecodeError(raw)
	if got.Code != CodeAppError || got.Details.Executed != ExecutedYes || got.Details.Retryable || got.Details.Path != "" {
		t.Errorf("arrived as %+v", got)
	}
	for key, want := range map[string]string{
		"ok": "[1 2]", "nil": "<nil>", "error": "inner", "bad": "\ufffd", "markup": "<b>", "twice": `{"a":1,"a":2}`, "deep": string(deep),
	} {
		if text := fmt.Sprint(got.Details.More[key]); text != want {
			t.Errorf("%s arrived as %q, want %q", key, text, want)
		}
	}
	for _, key := range []string{"channel", "nan", "cyclic", "failing", "broken"} {
		if text, isText := got.Details.More[key].(string); !isText || text == "" {
			t.Errorf("%s arrived as %v", key, got.Details.More[key])
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		text string
	}{
		{0, ""}, {-time.Second, ""}, {1, `"retryAfterMs":1`}, {time.Millisecond, `"retryAfterMs":1`},
		{time.Millisecond + 1, `"retryAfterMs":2`}, {time.Minute, `"retryAfterMs":60000`}, {math.MaxInt64, `"retryAfterMs":9223372036855`},
	} {
		e := &Error{Code: CodeRateLimited, Details: Details{RetryAfter: c.d}}
		raw := string(e.AppendJSON(nil))
		if strings.Contains(raw, "retryAfterMs") != (c.text != "") || !strings.Contains(raw, c.text) {
			t.Errorf("%v is written %s", c.d, raw)
		}
		if got := DecodeError([]byte(raw)).Details.RetryAfter; got < c.d {
			t.Errorf("%v arrived as %v", c.d, got)
		}
	}
	for _, text := range []string{"1e400", "1e308", "9223372036854775807"} {
		e := DecodeError([]byte(`{"code":"RATE_LIMITED","details":{"retryAfterMs":` + text + `}}`))
		if e.Details.RetryAfter != math.MaxInt64 {
			t.Errorf("%s arrived as %v", text, e.Details.RetryAfter)
		}
	}
}

// The cause is for this side only.
func TestCauseIsNotSent(t *testing.T) {
	e := &Error{Code: CodeInternal, Message: "error 7f3a", Cause: errors.New("secret path")}
	if raw := string(e.AppendJSON(nil)); strings.Contains(raw, "secret") {
		t.Errorf("sent as %s", raw)
	}
}
