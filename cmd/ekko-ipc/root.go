package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/manifest"
)

// The groups in which --help shows the commands.
const (
	groupTalk = "talk"
	groupLook = "look"
	groupRun  = "run"
	groupHelp = "help"
)

// newRoot builds the tree of commands. Building is all that it does: what a
// command needs, it makes when it runs, so that none pays for another.
func newRoot(c *cli) *cobra.Command {
	root := &cobra.Command{
		Use:   "ekko-ipc",
		Short: "Call services in other processes as if they were modules",
		Long: `Call services in other processes as if they were modules.

A service is a process, in any language, that describes itself in a file
NAME.ekko.ipc.json and listens on a local socket. This program calls services,
hears their events, shows what they promise, and runs scripts that import them.

At a terminal it writes for people. Into a pipe, data goes as one JSON text a
line, ready for jq; -j asks for that anywhere, --json=false for text.`,
		Example: `  ekko-ipc ls                                         # who is there?
  ekko-ipc describe database-service                  # what can it do?
  ekko-ipc call database-service.getUserById 123      # do it
  ekko-ipc sub notification-service 'user.*'          # listen
  ekko-ipc pub notification-service order.completed '{"orderId":456,"total":99.99}'
  ekko-ipc queue ls notification-service              # what does it keep, and who reads it?
  ekko-ipc run app.ts                                 # import service from 'ipc:database-service'`,
		Version:       versionLine(),
		SilenceErrors: true, // report says them
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			c.running = true
		},
		Args: c.noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetUsageTemplate(root.UsageTemplate() + "\nExit status:\n  " + exitStatusLine + "\n")

	flags := root.PersistentFlags()
	flags.VarP(&c.json, "json", "j", "one JSON text a line (the default for data into a pipe)")
	flags.Lookup("json").NoOptDefVal = "true"
	flags.Var(&c.color, "color", "auto, always or never; NO_COLOR is honoured")
	flags.Var(&c.timeout, "timeout", "give up after this time, such as 500ms or 2m; 0: never")
	flags.Var(&pathFlag{}, "path", "folders of manifests, in place of "+pathVariable)
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "no notes on standard error, only errors")
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "more notes: addresses, times, whole errors")
	register(root, "color", fixed("auto", "always", "never"))
	register(root, "path", folders)
	register(root, "timeout", fixed("500ms", "10s", "1m", "0"))

	root.AddGroup(
		&cobra.Group{ID: groupTalk, Title: "Talk to a service:"},
		&cobra.Group{ID: groupLook, Title: "Look around:"},
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupHelp, Title: "Help:"},
	)
	root.SetCompletionCommandGroupID(groupHelp)
	root.SetHelpCommand(c.helpCommand())
	root.AddCommand(
		c.callCommand(), c.pubCommand(), c.subCommand(), c.queueCommand(), c.dlqCommand(), c.pingCommand(),
		c.lsCommand(), c.whoCommand(), c.describeCommand(), c.resolveCommand(), c.checkCommand(),
		c.runCommand(), c.genCommand(), c.demoCommand(), c.certCommand(),
		c.codesCommand(), c.versionCommand(),
	)
	root.AddCommand(topics()...)
	return root
}

// noSuchCommand explains a first word that is no command.
func (c *cli) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := args[0]
	err := fmt.Errorf("there is no command %q", word)
	switch extension := filepath.Ext(word); {
	case extension == ".ts" || extension == ".js" || extension == ".mjs":
		return hint(err, "did you mean: ekko-ipc run "+word)
	case strings.HasSuffix(word, ".ekko.ipc.json"):
		return hint(err, "did you mean: ekko-ipc check "+word)
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if guess := manifest.Closest(word, names); guess != "" {
		return hint(err, "did you mean: ekko-ipc "+guess)
	}
	if strings.Contains(word, ".") {
		return hint(err, "did you mean: ekko-ipc call "+strings.Join(args, " "))
	}
	return err
}

// helpCommand is "help WORD…". The library's own ends well when there is no
// such topic; a script that asks for help should learn that there is none.
func (c *cli) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND | TOPIC]",
		Short:   "Show the help of a command or a topic",
		GroupID: groupHelp,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var words []string
			for _, sub := range cmd.Root().Commands() {
				words = append(words, sub.Name()+"\t"+sub.Short)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			about, rest, err := cmd.Root().Find(words)
			if err != nil || len(rest) > 0 {
				return &usageError{errors.New("there is no help on " + strings.Join(words, " ")), cmd.Root()}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
