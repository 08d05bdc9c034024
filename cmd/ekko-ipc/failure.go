package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// hinted is an error together with what its reader may try next.
type hinted struct {
	err   error
	steps []string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// hint adds next steps to err. Empty ones are left out.
func hint(err error, steps ...string) error {
	if err == nil {
		return nil
	}
	var kept []string
	for _, step := range steps {
		if step != "" {
			kept = append(kept, step)
		}
	}
	if len(kept) == 0 {
		return err
	}
	return &hinted{err, kept}
}

// steps returns what the reader of err may try next, the most specific first.
func steps(err error) []string {
	var found []string
	for e := err; e != nil; e = errors.Unwrap(e) {
		if h, ok := e.(*hinted); ok {
			found = append(found, h.steps...)
		}
	}
	if usage, ok := errors.AsType[*usageError](err); ok && usage.command != nil {
		found = append(found, "see: "+usage.command.CommandPath()+" --help")
	}
	return found
}

// report tells of the error that ends the program, on standard error: a line
// that says what is wrong, then a line for each next step. With -j it is one
// JSON object.
func (c *cli) report(err error) {
	if err == nil || errors.Is(err, errInterrupted) || errors.Is(err, errTerminated) {
		return
	}
	if _, said := errors.AsType[statusError](err); said {
		return
	}
	if c.json.value {
		c.reportJSON(err)
		return
	}
	paint := c.err()
	fmt.Fprintln(c.stderr, paint.red("ekko-ipc:"), err)
	for _, step := range steps(err) {
		fmt.Fprintln(c.stderr, paint.dim("  →"), step)
	}
	if coded, ok := errors.AsType[*wire.Error](err); ok && c.verbose {
		fmt.Fprintln(c.stderr, paint.dim("  "+string(coded.AppendJSON(nil))))
	}
}

// failureJSON is the last line of a failed command under -j.
type failureJSON struct {
	Error      errorJSON `json:"error"`
	ExitStatus int       `json:"exitStatus"`
	NextSteps  []string  `json:"nextSteps,omitempty"`
}

type errorJSON struct {
	Code    wire.Code       `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
}

// newErrorJSON is an error as programs read it.
func newErrorJSON(err error) *errorJSON {
	if coded, ok := errors.AsType[*wire.Error](err); ok {
		return &errorJSON{coded.Code, coded.Message, detailsOf(coded)}
	}
	return &errorJSON{Code: wire.CodeOf(err), Message: err.Error()}
}

// usageCode stands where other errors have the code of the wire.
const usageCode wire.Code = "USAGE"

func (c *cli) reportJSON(err error) {
	failure := failureJSON{
		Error:      *newErrorJSON(err),
		ExitStatus: exitStatus(err),
		NextSteps:  steps(err),
	}
	if _, coded := errors.AsType[*wire.Error](err); !coded && failure.ExitStatus == exitUsage {
		failure.Error.Code = usageCode
	}
	line, encodeErr := encode(failure)
	if encodeErr != nil {
		line = fmt.Appendf(nil, "ekko-ipc: %v\n", err)
	}
	c.stderr.Write(line)
}

// stepsAfter returns what to try after a call to t has failed with err.
func (t target) stepsAfter(err error) []string {
	if broken, ok := errors.AsType[*manifest.SyntaxError](err); ok {
		return []string{"see all that is wrong with it: ekko-ipc check " + broken.File}
	}
	code := wire.CodeOf(err)
	switch code {
	case wire.CodeServiceNotFound:
		return []string{
			"see what is there: ekko-ipc ls",
			"add a folder of manifests with --path DIR or " + pathVariable,
		}
	case wire.CodeDaemonUnavailable, wire.CodeServiceUnavailable, wire.CodeRegistryUnavailable:
		return []string{t.startStep(), t.whereStep()}
	case wire.CodeMethodNotFound:
		return []string{t.didYouMean(), "see what it has: ekko-ipc describe " + t.service}
	case wire.CodeCursorInvalid:
		return []string{"begin with the oldest that is kept: --from first"}
	case wire.CodeChannelNotFound:
		return []string{"see what it has: ekko-ipc describe " + t.service}
	case wire.CodeSchemaMismatch, wire.CodeInvalidArgument:
		return []string{t.signatureStep(), "see: ekko-ipc describe " + t.String()}
	case wire.CodeDeadlineExceeded:
		return []string{"allow more time with --timeout 1m (0: no limit)"}
	case wire.CodeServiceDied, wire.CodeConnectionLost:
		return []string{"whether it ran is not known: look before you call again"}
	case wire.CodeTLSError:
		return []string{
			"your own certificate and whom to believe: EKKO_IPC_TLS_CERT, EKKO_IPC_TLS_KEY and EKKO_IPC_TLS_CA, see ekko-ipc help environment",
		}
	case wire.CodePermissionDenied, wire.CodeUnauthenticated, wire.CodeUntrustedPeer:
		return []string{"what this code means: ekko-ipc codes " + string(code)}
	}
	if strings.HasPrefix(string(code), "APP_") || code == wire.CodeInternal {
		return nil
	}
	return []string{"what this code means: ekko-ipc codes " + string(code)}
}

// explain adds the next steps to an error of a conversation with t.
func (t target) explain(err error) error {
	if err == nil {
		return nil
	}
	if _, coded := errors.AsType[*wire.Error](err); !coded && wire.CodeOf(err) != wire.CodeInternal {
		err = wire.Errorf(wire.CodeOf(err), "%w", err) // the end of a context, which is no error of the wire
	}
	return hint(err, t.stepsAfter(err)...)
}

// explainEvent is explain for what went wrong with an event or a pattern.
func (t target) explainEvent(name string, err error) error {
	err = t.explain(err)
	if channel := t.manifest.ChannelOf(name); channel != nil && wire.CodeOf(err) == wire.CodeInvalidArgument {
		err = hint(err, "what "+channel.Name+" is: "+channelLine(channel), "what may be asked of a channel: ekko-ipc help channels")
		if channel.IsQueue() && channel.Name != strings.TrimPrefix(name, "events.") {
			err = hint(err, "listen to the queue as a whole: ekko-ipc sub "+t.service+" "+channel.Name)
		}
	}
	if guess := t.manifest.SuggestEvent(name); guess != "" && t.manifest.EventByName(name) == nil && t.manifest.ChannelByName(name) == nil {
		err = hint(err, "did you mean "+guess+"?")
	}
	return err
}

// detailsOf returns the details of an error as the wire has them.
func detailsOf(err *wire.Error) json.RawMessage {
	var sent struct {
		Details json.RawMessage `json:"details"`
	}
	if json.Unmarshal(err.AppendJSON(nil), &sent) != nil {
		return nil
	}
	return sent.Details
}
