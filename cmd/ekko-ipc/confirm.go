package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// addYes gives a command that destroys something the flag that agrees to it.
func addYes(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask: do it")
}

// errDeclined ends a command whose question was not answered by yes.
var errDeclined = errors.New("nothing was removed")

// confirm asks before something is done that cannot be undone. Where nobody is
// there to be asked, yes must have been said.
func (c *cli) confirm(cmd *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	if !c.inTerminal || !c.errTerminal {
		return hint(&usageError{err: fmt.Errorf("%s %s cannot be undone, and nobody is here to be asked", cmd.Parent().Name(), cmd.Name())}, "add --yes to do it")
	}
	fmt.Fprint(c.stderr, question+" [y/N] ")
	answer := make(chan string, 1)
	// It ends with a line or with the input, and nobody waits for it.
	go func() {
		line, _ := bufio.NewReader(c.stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
		return errDeclined
	case <-cmd.Context().Done():
		return cmd.Context().Err()
	}
}
