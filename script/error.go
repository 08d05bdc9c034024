package script

import (
	"encoding/json"
	"errors"

	"github.com/ekkojs/ipc"
)

// appendError appends err as JavaScript knows it, as a further element of a
// message; nothing if it is nil.
func appendError(dst []byte, err error) []byte {
	if err == nil {
		return dst
	}
	return coded(err).AppendJSON(append(dst, ','))
}

// coded gives any error a code.
func coded(err error) *ipc.Error {
	if e, ok := errors.AsType[*ipc.Error](err); ok {
		return e
	}
	return ipc.Errorf(ipc.CodeOf(err), "%w", err)
}

// refusal is what JavaScript says of an error that a handler threw. Without a
// code it is a bug in the handler, and no more than an error to Go.
type refusal struct {
	Code    ipc.Code       `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

func decodeRefusal(text string) error {
	var r refusal
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	if r.Code == "" {
		return errors.New(r.Message)
	}
	e := ipc.Errorf(r.Code, "%s", r.Message)
	if executed, ok := r.Details["executed"].(string); ok {
		e.Details.Executed = ipc.Executed(executed)
	}
	if retryable, ok := r.Details["retryable"].(bool); ok {
		e.Details.Retryable = retryable
	}
	if path, ok := r.Details["path"].(string); ok {
		e.Details.Path = path
	}
	e.Details.More = r.Details
	return e
}
