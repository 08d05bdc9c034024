package main

import (
	"errors"
	"fmt"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
)

// request is what to send: arguments that may still need the manifest to take
// their form, or data that has its form.
type request struct {
	arguments arguments
	data      ipc.Raw
	verbatim  bool // data, not arguments
	unread    bool // the data stands on standard input
}

// newRequest reads words, or the text of --data if verbatim. Standard input is
// not touched: whose it is depends on the method.
func (c *cli) newRequest(words []string, data string, verbatim bool) (r request, err error) {
	r.verbatim = verbatim
	switch {
	case !verbatim:
		r.arguments, err = c.parseArguments(words)
	case len(words) > 0:
		err = errors.New("arguments and --data exclude each other")
	case data == "-":
		r.unread = true
	default:
		r.data, err = c.readData(data)
	}
	return r, err
}

// wantsInput reports whether a part of the request stands on standard input.
func (r *request) wantsInput() bool { return r.unread || r.arguments.wantInput() }

// leaveInput gives standard input to the items of a method that reads some: a
// last "-" among the arguments says just that.
func (r *request) leaveInput(method string) error {
	if last := len(r.arguments.positional) - 1; last >= 0 && r.arguments.positional[last] == nil {
		r.arguments.positional = r.arguments.positional[:last]
	}
	if r.wantsInput() {
		return &usageError{err: hint(
			fmt.Errorf("standard input holds what %s reads, one JSON value a line; it cannot hold an argument too", method),
			"write the argument out, or put it there by $(…)")}
	}
	return nil
}

// dataFor reads what of the request stands on standard input, and puts it into
// the form for the method, nil if that is not known.
func (c *cli) dataFor(method *manifest.Method, r *request) (data ipc.Raw, err error) {
	switch {
	case r.unread:
		return c.readData("-")
	case r.verbatim:
		return r.data, nil
	}
	if err := c.fill(&r.arguments); err != nil {
		return nil, err
	}
	return r.arguments.data(method), nil
}
