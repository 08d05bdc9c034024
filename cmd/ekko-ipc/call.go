package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

// usualTimeout bounds the commands that wait for one answer.
const usualTimeout = 10 * time.Second

func (c *cli) callCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:     "call SERVICE.METHOD [ARG…]",
		Short:   "Call a method and print its result",
		GroupID: groupTalk,
		Long: `Call a method and print its result.

Each ARG is JSON if it parses as JSON, else a string; NAME=VALUE is a named
argument. "ekko-ipc help arguments" has the details. In place of a service an
address may stand, followed by the method.

The result is printed as JSON: laid out at a terminal, on one line into a pipe.
The call is given up after 10 seconds, or --timeout.`,
		Example: `  ekko-ipc call database-service.getUserById 123
  ekko-ipc call database-service.createUser name=Ada email=ada@example.com
  ekko-ipc call database-service.createUser '{"name":"Ada","email":"ada@example.com"}'
  ekko-ipc call database-service.getUserById 123 | jq -r .email
  echo '[123]' | ekko-ipc call database-service.getUserById --data -
  ekko-ipc call unix:/run/user/1000/ekko-ipc/db.sock getUserById 123`,
		Args:              needs(1, -1, "SERVICE.METHOD"),
		ValidArgsFunction: c.completeMethods(false),
		RunE: func(cmd *cobra.Command, words []string) error {
			t, rest, err := parseMethod(words)
			if err != nil {
				return asUsage(err, cmd)
			}
			if t.method == "" {
				return c.missingMethod(cmd, t, rest)
			}
			request, err := c.newRequest(rest, data, cmd.Flags().Changed("data"))
			if err != nil {
				return asUsage(err, cmd)
			}
			return c.call(cmd.Context(), t, request)
		},
	}
	cmd.Flags().StringVarP(&data, "data", "d", "", "send this JSON as it is; -: from standard input")
	return cmd
}

// request is what to send: arguments that may still need the manifest to take
// their form, or data that has its form.
type request struct {
	arguments arguments
	data      ipc.Raw
	verbatim  bool
}

func (c *cli) newRequest(words []string, data string, verbatim bool) (r request, err error) {
	r.verbatim = verbatim
	if !verbatim {
		r.arguments, err = c.parseArguments(words)
		return r, err
	}
	if len(words) > 0 {
		return r, errors.New("arguments and --data exclude each other")
	}
	r.data, err = c.readData(data)
	return r, err
}

func (c *cli) call(ctx context.Context, t target, r request) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	client, err := c.dial(ctx, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()

	data := r.data
	if !r.verbatim {
		if len(r.arguments.named) > 0 {
			t.learn(ctx, client)
		}
		data = r.arguments.data(t.manifest.MethodByName(t.method))
	}
	c.detail("→ %s %s", t, shorten(string(data), 200))
	begin := time.Now()
	result, err := client.CallRaw(ctx, t.method, data)
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
