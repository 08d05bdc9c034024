package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
)

// usualTimeout bounds the commands that wait for one answer.
const usualTimeout = 10 * time.Second

func (c *cli) callCommand() *cobra.Command {
	var options callOptions
	cmd := &cobra.Command{
		Use:     "call SERVICE.METHOD [ARG…]",
		Short:   "Call a method and print its result",
		GroupID: groupTalk,
		Long: `Call a method and print its result.

Each ARG is JSON if it parses as JSON, else a string; NAME=VALUE is a named
argument. "ekko-ipc help arguments" has the details. In place of a service an
address may stand, followed by the method.

The result is printed as JSON: laid out at a terminal, on one line into a pipe.
The call is given up after 10 seconds, or --timeout.

A method that streams (describe shows "stream") takes as long as it takes,
unless --timeout is given. Each item is printed as it comes; --count N ends
after N of them, and tells the service to stop, as does Ctrl-C. What a method
reads is taken from standard input, one JSON value a line, up to its end.

--notify sends the call and does not wait: nobody will know what became of it.

--batch FILE makes many calls of SERVICE in one message. Each line of the file
is ["METHOD",ARG…] or {"method":"METHOD","args":[…]}. The outcomes are printed
in the same order, a line for each: {"data":…} or {"error":{…}}. The exit status
is 0 if all succeeded.

--idempotency-key KEY makes it safe to make the same call again, as after a
failure that leaves open whether it ran: the service carries out one call for
each key, and answers the others with what came of that one. The method has to
be declared idempotent.`,
		Example: `  ekko-ipc call database-service.getUserById 123
  ekko-ipc call database-service.createUser name=Ada email=ada@example.com
  ekko-ipc call database-service.createUser '{"name":"Ada","email":"ada@example.com"}'
  ekko-ipc call database-service.getUserById 123 | jq -r .email
  echo '[123]' | ekko-ipc call database-service.getUserById --data -
  ekko-ipc call unix:/run/user/1000/ekko-ipc/db.sock getUserById 123

  ekko-ipc call database-service.exportUsers | jq -r .email      # as they come
  ekko-ipc call database-service.exportUsers --count 10          # the first ten
  jq -c '.users[]' dump.json | ekko-ipc call my-service.importUsers

  ekko-ipc call database-service.createUser name=Ada email=ada@example.com --idempotency-key signup-4711
  ekko-ipc call notification-service.notify Ada 'lunch is ready' --notify
  jq -c '["getUserById", .id]' ids.json | ekko-ipc call database-service --batch -`,
		Args:              needs(1, -1, "SERVICE.METHOD"),
		ValidArgsFunction: c.completeCalls(&options),
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := options.check(cmd); err != nil {
				return &usageError{err, cmd}
			}
			if options.batch != "" {
				return c.batchOf(cmd, words, options.batch)
			}
			t, rest, err := parseMethod(words)
			if err != nil {
				return asUsage(err, cmd)
			}
			if t.method == "" {
				return c.missingMethod(cmd, t, rest)
			}
			request, err := c.newRequest(rest, options.data, cmd.Flags().Changed("data"))
			if err != nil {
				return asUsage(err, cmd)
			}
			return c.call(cmd.Context(), t, request, options)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&options.data, "data", "d", "", "send this JSON as it is; -: from standard input")
	flags.IntVarP(&options.count, "count", "n", 0, "of a stream: end after this many items; 0: at its end")
	flags.BoolVar(&options.notify, "notify", false, "send and do not wait for what becomes of it")
	flags.StringVar(&options.batch, "batch", "", "make the calls in this file, one a line; -: from standard input")
	flags.StringVar(&options.key, "idempotency-key", "", "the same key, the same call: it is carried out once")
	register(cmd, "count", cobra.NoFileCompletions)
	register(cmd, "idempotency-key", cobra.NoFileCompletions)
	return cmd
}

// callOptions are the flags of call.
type callOptions struct {
	data   string // --data
	count  int    // 0: no end
	notify bool
	batch  string // a file, or "-"; "": none
	key    string // "": none
}

// check says what is wrong with the flags, before anything is read or sent.
func (o *callOptions) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	for _, pair := range [][2]string{
		{"batch", "data"}, {"batch", "count"}, {"batch", "notify"}, {"batch", "idempotency-key"},
		{"notify", "count"}, {"notify", "idempotency-key"},
	} {
		if given(pair[0]) && given(pair[1]) {
			return fmt.Errorf("--%s and --%s exclude each other", pair[0], pair[1])
		}
	}
	switch {
	case o.count < 0:
		return fmt.Errorf("--count %d: want 0 (no end) or more", o.count)
	case given("batch") && o.batch == "":
		return errors.New(`--batch "": want the name of a file, or -`)
	case given("idempotency-key") && (o.key == "" || len(o.key) > ipc.MaxIdempotencyKey):
		return fmt.Errorf("--idempotency-key has %d bytes; want 1 to %d", len(o.key), ipc.MaxIdempotencyKey)
	}
	return nil
}

// fit says which flags make no sense for the method, nil if it is not known.
func (o *callOptions) fit(t target, method *manifest.Method) error {
	streams := sends(method) || reads(method)
	switch {
	case o.count > 0 && !sends(method):
		return fmt.Errorf("--count counts the items of a stream, and %s answers once", t)
	case o.notify && streams:
		return fmt.Errorf("%s streams: it cannot be called by --notify", t)
	case o.key != "" && streams:
		return fmt.Errorf("%s streams: it is never sent twice, and takes no --idempotency-key", t)
	}
	return nil
}

func (c *cli) call(ctx context.Context, t target, r request, options callOptions) error {
	whole, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	client, err := c.dial(whole, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()

	if !strings.HasPrefix(t.method, "ipc.") {
		t.learn(whole, client)
	}
	method := t.manifest.MethodByName(t.method)
	if err := options.fit(t, method); err != nil {
		return hint(&usageError{err: err}, t.signatureStep())
	}
	if reads(method) {
		if err := r.leaveInput(t.String()); err != nil {
			return err
		}
	}
	slow := r.wantsInput() // whoever writes it takes what time he likes
	data, err := c.dataFor(method, &r)
	if err != nil {
		return err
	}
	c.detail("→ %s %s", t, shorten(string(data), 200))
	streams := sends(method) || reads(method)
	if slow || streams && !c.timeout.set {
		usual := usualTimeout
		if streams {
			usual = 0
		}
		whole, cancel = c.deadline(ctx, usual)
		defer cancel()
	}
	switch {
	case streams:
		return c.stream(whole, client, t, data, options.count)
	case options.notify:
		return c.notify(whole, client, t, data)
	}
	if options.key != "" {
		whole = ipc.WithIdempotencyKey(whole, options.key)
	}
	begin := time.Now()
	result, err := client.CallRaw(whole, t.method, data)
	if err != nil {
		return t.explain(err)
	}
	c.detail("← answered in %s", round(time.Since(begin)))
	return c.printResult(result)
}

// printResult prints a JSON text: for people laid out and coloured, else on
// one line.
func (c *cli) printResult(result []byte) error {
	if len(result) == 0 {
		result = []byte("null")
	}
	if c.wantsJSON() {
		return c.print(oneLine(result) + "\n")
	}
	return c.print(layOut(result, c.out()) + "\n")
}

// missingMethod explains that a method has to be named, with those there are.
func (c *cli) missingMethod(cmd *cobra.Command, t target, rest []string) error {
	err := fmt.Errorf("%s is a service; name the method too: SERVICE.METHOD", t.service)
	if isAddress(t.service) {
		err = fmt.Errorf("%s is an address; name the method after it", t.service)
	}
	if len(rest) > 0 && isIdentifier(rest[0]) {
		t.method = rest[0]
		return &usageError{hint(err, "did you mean: ekko-ipc call "+t.String()+strings.Join(append([]string{""}, rest[1:]...), " ")), cmd}
	}
	if names := c.manifestOnDisk(cmd.Context(), t.service).MethodNames(); len(names) > 0 {
		return &usageError{hint(err, "its methods: "+strings.Join(names, ", ")), cmd}
	}
	return &usageError{err, cmd}
}
