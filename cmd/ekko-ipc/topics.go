package main

import "github.com/spf13/cobra"

// topics are the pages of help that are about no single command.
func topics() []*cobra.Command {
	topic := func(name, short, long string) *cobra.Command {
		page := &cobra.Command{Use: name, Short: short, Long: long}
		// A page, not a command: the template's usage and flags would follow.
		page.SetHelpFunc(func(cmd *cobra.Command, _ []string) { cmd.Println(cmd.Long) })
		return page
	}
	return []*cobra.Command{
		topic("exit-codes", "What the exit status means", exitCodesPage),
		topic("environment", "The environment variables", environmentPage),
		topic("arguments", "How words become JSON", argumentsPage),
	}
}

const exitCodesPage = `The exit status of ekko-ipc. Scripts may rely on it.

  0    ok
  1    the service answered with an error; "check" found an error; a script threw
  2    usage: the command line or the input makes no sense, or a file cannot be read
  3    the service was not found, or nothing answers at its address, or it died
  4    denied: the service refused us, or its socket is not whose it should be
  5    timed out: --timeout has passed
  13   a script ended with a top-level await that can never settle
  130  interrupted by SIGINT (Ctrl-C)
  143  terminated by SIGTERM or SIGHUP

"call --batch" ends with the status that all failures have in common, with 1 if
they differ. "run" ends with the status that the script chose, if it chose one.

The error itself is on standard error: one line that begins with its code, then
what to try next. With -j it is one JSON object:

  {"error":{"code":"METHOD_NOT_FOUND","message":"…","details":{…}},"exitStatus":1,"nextSteps":["…"]}

"ekko-ipc codes" lists the codes.`

const environmentPage = `The environment variables that ekko-ipc reads.

  EKKO_IPC_PATH         folders in which manifests are looked for first; a list,
                        separated as in PATH. --path takes its place.
  EKKO_IPC_RUNTIME_DIR  the folder of the sockets, in place of
                        $XDG_RUNTIME_DIR/ekko-ipc. Its owner must be you, and
                        nobody else may enter it (mode 0700).
  NO_COLOR              no colours, unless --color=always.`

const argumentsPage = `How the words after a method become the arguments of the call.

  123  true  null  '{"a":1}'   a word that is JSON is that value
  hello                        any other word is a string
  '"123"'                      so this is the string 123
  id=123 name=Ada              named arguments, all or none
  -                            what stands on standard input
  -5                           a number, not a flag

--data TEXT sends one JSON text as it is, with the meaning that the protocol
gives it: an array holds positional arguments, an object named ones (or the
single argument of a method that has but one parameter), anything else is the
single argument. "--data -" reads it from standard input.

A method that reads a stream from its caller has it from standard input, one
JSON value a line. What is not JSON ends the call with status 2.

  ekko-ipc call database-service.getUserById 123
  ekko-ipc call database-service.getUserById id=123
  ekko-ipc call database-service.createUser name=Ada email=ada@example.com
  ekko-ipc call database-service.createUser '{"name":"Ada"}'
  jq -c .user order.json | ekko-ipc call database-service.createUser -
  ekko-ipc call calculator.add --data '[2,3]'
  jq -c '.users[]' dump.json | ekko-ipc call my-service.importUsers`
