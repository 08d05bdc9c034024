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
	"github.com/ekkojs/ipc/wire"
)

// target is whom a command talks to, and about what.
type target struct {
	service  string             // a name, or an address such as "unix:/run/db.sock"
	method   string             // "" where the command is about the whole service
	manifest *manifest.Manifest // nil as long as it is not known
}

func (t target) String() string {
	switch {
	case t.method == "":
		return t.service
	case isAddress(t.service):
		return t.service + " " + t.method
	}
	return t.service + "." + t.method
}

// isAddress tells an address from the name of a service, which holds no colon.
func isAddress(word string) bool { return strings.Contains(word, ":") }

// parseMethod reads SERVICE.METHOD, or ADDRESS METHOD, from the front of words
// and returns the words after it. The method is empty if none is named.
func parseMethod(words []string) (t target, rest []string, err error) {
	if isAddress(words[0]) {
		t.service, rest = words[0], words[1:]
		if len(rest) > 0 {
			t.method, rest = rest[0], rest[1:]
			err = wire.CheckName(t.method)
		}
		return t, rest, err
	}
	if err := wire.CheckName(words[0]); err != nil {
		return target{}, nil, err
	}
	service, method := wire.SplitChannel([]byte(words[0]))
	t = target{service: string(service), method: string(method)}
	// What every service answers has a name of two parts: ipc.ping, ipc.stats.
	if owner, ok := strings.CutSuffix(t.service, ".ipc"); ok {
		t.service, t.method = owner, "ipc."+t.method
	}
	return t, words[1:], nil
}

// parseService reads the name or the address of a service.
func parseService(word string) (target, error) {
	if isAddress(word) {
		return target{service: word}, nil
	}
	return target{service: word}, wire.CheckName(word)
}

// dial connects to the service of t, and completes t with the manifest as it
// was found on the way, if there was one.
func (c *cli) dial(ctx context.Context, t *target, options *ipc.ClientOptions) (*ipc.Client, error) {
	if options == nil {
		options = &ipc.ClientOptions{}
	}
	options.Timeout = -1 // the context of the command bounds the whole of it
	begin := time.Now()
	client, err := ipc.Dial(ctx, t.service, options)
	if err != nil {
		t.manifest = c.manifestOnDisk(ctx, t.service)
		return nil, t.explain(err)
	}
	t.manifest = client.Manifest()
	c.detail("%s is at %s (%s)", t.service, client.Address(), round(time.Since(begin)))
	return client, nil
}

// learn asks the service for its manifest if none was found on disk. It does
// not matter if the service cannot tell.
func (t *target) learn(ctx context.Context, client *ipc.Client) {
	if t.manifest == nil {
		t.manifest, _ = client.Describe(ctx)
	}
}

func (t target) didYouMean() string {
	guess := t.manifest.Suggest(t.method)
	if guess == "" {
		return ""
	}
	return "did you mean " + target{service: t.service, method: guess}.String() + "?"
}

func (t target) signatureStep() string {
	method := t.manifest.MethodByName(t.method)
	if method == nil {
		return ""
	}
	return "its signature: " + method.Signature()
}

// startStep says how to start the service, if its manifest does.
func (t target) startStep() string {
	if t.manifest == nil || t.manifest.Service.Activation == nil {
		return ""
	}
	activation := t.manifest.Service.Activation
	command := strings.Join(append([]string{activation.Command}, activation.Args...), " ")
	if activation.Cwd != "" {
		command = "cd " + activation.Cwd + " && " + command
	}
	return "start it with: " + command
}

// whereStep says how to see where a service would be.
func (t target) whereStep() string {
	if isAddress(t.service) {
		return "see what is there: ekko-ipc ls"
	}
	return "see where it is looked for: ekko-ipc resolve " + t.service
}

// needs is a check of the number of words after a command, in its own terms.
func needs(low, high int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		switch {
		case len(words) < low:
			return errors.New("missing " + what)
		case high >= 0 && len(words) > high:
			return fmt.Errorf("unexpected %q after %s", unshield(words[high]), what)
		}
		return nil
	}
}

// round shortens a duration to what a person reads.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}
