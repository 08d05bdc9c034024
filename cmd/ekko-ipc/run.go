package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/script"
)

func (c *cli) runCommand() *cobra.Command {
	var trace bool
	var state string
	in := runtimeEmbedded
	cmd := &cobra.Command{
		Use:     "run APP [ARG…]",
		Short:   "Run a script that imports services",
		GroupID: groupRun,
		Long: `Run a script, in JavaScript or TypeScript, that imports services:

  import service from 'ipc:database-service';
  const user = await service.getUserById(123);

It needs no other runtime. What stands after APP goes to the script, in
process.argv; flags for this program stand before it. --timeout is how long a
call may take that states no timeout of its own (30 seconds; 0: for ever).

--runtime node, bun or deno runs the script in that program instead, found in
PATH, with the hook of the npm package @ekkojs/ipc, found in node_modules as the
script's own imports are. Signals and the exit status are then that program's.
Deno is given all permissions. --runtime auto looks in the folder of the script
and those above it, for the first that has one of these files:

  deno.json, deno.jsonc, deno.lock      Deno
  bunfig.toml, bun.lock, bun.lockb      Bun
  package.json                          Node

and takes the embedded runtime where there is none of them, and where that
program or the package is missing. -v says what it took. --trace, --state and
--timeout are of the embedded runtime only.

--trace tells on standard error what crosses the sockets: the way, the type,
the channel, the data, and for an answer the microseconds since its request.

A service that the script serves, and whose manifest has persistent channels,
keeps them in a folder of its own below --state DIR, EKKO_IPC_STATE_DIR, or where
the system has such things (~/.local/state/ekko-ipc on Linux).

The exit status is the script's own: 0, what it gave to process.exit, 1 for an
error that nobody caught, 13 for a top-level await that can never settle.`,
		Example: `  ekko-ipc run app.ts
  ekko-ipc run --trace app.ts
  ekko-ipc run --state ./state service.ts
  ekko-ipc run --runtime node app.mjs
  ekko-ipc run report.ts --month 11 > report.txt`,
		Args: needs(1, -1, "APP"),
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(words) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return []string{"ts", "mts", "js", "mjs"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			file, args := words[0], words[1:]
			if _, err := os.Stat(file); err != nil {
				return &usageError{err: err}
			}
			program, err := c.installed(in, file)
			switch {
			case err != nil:
				return err
			case program != nil:
				return c.runIn(program, args, cmd.Flags())
			}
			return c.runScript(cmd.Context(), file, args, trace, state)
		},
	}
	cmd.Flags().BoolVar(&trace, "trace", false, "tell each message on standard error")
	cmd.Flags().StringVar(&state, "state", "", "the folder for what services keep, in place of "+stateVariable)
	register(cmd, "state", folders)
	cmd.Flags().Var(&in, "runtime", "what runs the script: node, bun, deno, auto or embedded")
	register(cmd, "runtime", fixed(runtimeNames()...))
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func (c *cli) runScript(ctx context.Context, file string, args []string, trace bool, state string) error {
	// A signal is the script's business first: it may listen for it, and a
	// service in it lets its running calls finish. So it comes as a signal
	// and not as the end of the context.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	options := &script.Options{
		Args:    args,
		Stdin:   c.stdin,
		Stdout:  c.stdout,
		Stderr:  c.stderr,
		Signals: signals,
		Timeout: c.timeout.or(script.DefaultTimeout),

		Configure: keepIn(state),
	}
	if options.Timeout == 0 {
		options.Timeout = -1 // how a script's options spell "for ever"
	}
	if trace {
		var tap observe.Tap
		defer tap.Listen(newNarrator(c.stderr, c.err(), c.json.value).read)()
		options.Tap = &tap
	}
	status, err := script.Run(context.WithoutCancel(ctx), file, options)
	if err != nil {
		return err
	}
	if status != exitOK {
		return statusError(status)
	}
	return nil
}
