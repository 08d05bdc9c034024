package script

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// An operation is what the app asks of Go: fields of text, the first of which
// names it. Neither JSON nor numbers hold the separators.
const (
	fieldEnd = "\x1f"
	opEnd    = "\x1e"
)

// operation gives an operation's fields in turn.
type operation struct {
	rest string
	err  error
}

func (o *operation) text() string {
	field, rest, _ := strings.Cut(o.rest, fieldEnd)
	o.rest = rest
	return field
}

func (o *operation) id() uint64 {
	id, err := strconv.ParseUint(o.text(), 10, 64)
	if err != nil {
		o.err = err
	}
	return id
}

// json decodes a field that is JSON text.
func (o *operation) json(v any) {
	if err := json.Unmarshal([]byte(o.text()), v); err != nil {
		o.err = err
	}
}

func (o *operation) name() string {
	if field, _, _ := strings.Cut(o.rest, fieldEnd); len(field) > 1 && strings.IndexByte(field, '\\') < 0 {
		return strings.Clone(o.text()[1 : len(field)-1]) // nothing is escaped
	}
	var name string
	o.json(&name)
	return name
}

// data is a field that is JSON and is passed on as it is; nil if it is empty.
func (o *operation) data() []byte {
	if field := o.text(); field != "" {
		return []byte(field)
	}
	return nil
}

// operate starts the operations of a batch, in order.
func (a *app) operate(batch string) {
	for batch != "" {
		var op operation
		op.rest, batch, _ = strings.Cut(batch, opEnd)
		kind := op.text()
		run := operations[kind]
		if run == nil {
			panic(fmt.Sprintf("script: the prelude asks for %q", kind))
		}
		run(a, &op)
		if op.err != nil {
			panic(fmt.Sprintf("script: the prelude asks for a malformed %s: %v", kind, op.err))
		}
	}
}

// operations are all that the prelude may ask for.
var operations = map[string]func(*app, *operation){
	"link":        (*app).opLink,
	"call":        (*app).opCall,
	"notify":      (*app).opNotify,
	"stream":      (*app).opStream,
	"grant":       (*app).opGrant,
	"cancel":      (*app).opCancel,
	"publish":     (*app).opPublish,
	"confirm":     (*app).opConfirm,
	"will":        (*app).opWill,
	"settle":      (*app).opSettle,
	"subscribe":   (*app).opSubscribe,
	"unsubscribe": (*app).opUnsubscribe,
	"close":       (*app).opClose,
	"serve":       (*app).opServe,
	"shutdown":    (*app).opShutdown,
	"forget":      (*app).opForget,
	"yield":       (*app).opYield,
	"answer":      (*app).opAnswer,
	"refuse":      (*app).opRefuse,
	"fetch":       (*app).opFetch,
	"stdin":       (*app).opStdin,
}
