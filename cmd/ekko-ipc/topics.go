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
		topic("channels", "What becomes of an event, and who gets it", channelsPage),
		topic("filters", "How to say which events are wanted", filtersPage),
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
  EKKO_IPC_STATE_DIR    the folder in which "run" keeps the persistent channels
                        of the services that a script serves, a folder for each,
                        in place of ~/.local/state/ekko-ipc or the system's own
                        for such things. --state takes its place.
  EKKO_IPC_TLS_CA       whom to believe at addresses of the form tls:HOST:PORT: a
                        file of certificates (PEM), in place of the one that the
                        manifest names, or of the system's.
  EKKO_IPC_TLS_CERT,    the certificate to show to services that demand one, and
  EKKO_IPC_TLS_KEY      its private key.
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

const channelsPage = `What becomes of an event, and who gets it.

The manifest of a service declares events, and channels that carry them. The
events of a channel are numbered together; an event that no channel carries is
numbered by itself. "ekko-ipc describe SERVICE" shows what there is.

  {"events": {"order.placed": {}},
   "channels": {
     "orders": {"events": ["order.*"], "persistent": true},
     "jobs":   {"type": "queue", "retention": {"maxMessages": 10000}},
     "prices": {"retention": {"maxAge": 3600}, "last": true}}}

  nothing said     who listens gets it, nobody else ever will
  last             who begins to listen gets the newest at once
  retention        it is kept for a while, in memory: sub --from first
  persistent       it is kept on the disk, and outlives the service
  type: queue      each message goes to one reader, which has to acknowledge it

There are four ways to listen:

  ekko-ipc sub shop orders                    what comes from now on
  ekko-ipc sub shop orders --from 10m         what was kept, then what comes
  ekko-ipc sub shop orders --durable audit    from where "audit" has stopped
  ekko-ipc sub shop jobs --group workers      a share of it

In the last two each event has to be acknowledged, which sub does once it has
printed it. What is not acknowledged within --ack-wait (30s), is given back, or
was with a reader that is gone, comes again: to any member of the group, and
marked as redelivered. After five deliveries it becomes a dead letter:

  ekko-ipc queue ls shop                      who reads what, how far behind
  ekko-ipc dlq show shop.jobs                 what nobody could deal with, and why
  ekko-ipc dlq redrive shop.jobs --all        give it another chance

Numbers that are left out mean nothing, since a filter or another member may have
had them. What a reader has lost it is told: "gap", with the reason.`

const filtersPage = `How to say which events are wanted: sub --filter EXPRESSION.

  total > 100                     == != < <= > >= with a number or a text
  customer.country == "DE"        a field within a field; 'DE' is the same text
  items[0].name == "tea"          an element of an array, counted from 0
  status in ["new", "paid", 3]    one of several values
  name startsWith "A"             and endsWith, contains: of texts only
  exists(coupon)                  the field is there, be it null
  paid                            the field is true
  !(paid || total < 10)           what ! is about needs parentheses, unless it is one field
  a == 1 && (b == 2 || c == 3)    && binds tighter than ||

Nothing is converted: "100" is not 100. Of a field that is missing no comparison
holds, != neither, but field == null does. The service evaluates it, so what does
not pass never leaves it.

  ekko-ipc sub shop order.placed --filter 'total > 100 && customer.country != "DE"'`
