package torture

// Plant is a fault put on purpose between the calls and the journals. Each of
// them must make Check find a contradiction.
type Plant string

// The planted faults. The first group stands between client and service, as a
// proxy; the second is in the service; the third in the client.
const (
	DuplicateRequest  Plant = "duplicate-request"  // a request is delivered twice
	SwapAnswers       Plant = "swap-answers"       // two calls get each other's answer
	DuplicateAnswer   Plant = "duplicate-answer"   // a call is answered twice
	AlterRequest      Plant = "alter-request"      // a request arrives as one that nobody made
	AnswerUnexecuted  Plant = "answer-unexecuted"  // a call is answered without the service
	FailUnexecuted    Plant = "fail-unexecuted"    // likewise, with an error that says "yes"
	RefuseAndDeliver  Plant = "refuse-and-deliver" // a call is told "no" and delivered all the same
	LoseItem          Plant = "lose-item"          // an item of a stream does not arrive
	UnknownCode       Plant = "unknown-code"       // an error has a code that is not in the table
	IncompatibleClaim Plant = "incompatible-claim" // an error says what its code does not allow

	ExecuteAndDeny Plant = "execute-and-deny" // a handler does its work and answers "no"
	PassOn         Plant = "pass-on"          // a handler passes on the "no" of another call
	LostEntry      Plant = "lost-entry"       // an execution is not written down
	Forgetful      Plant = "forgetful"        // what was executed is not remembered, and executed again
	LateEntry      Plant = "late-entry"       // an execution is written down after its answer

	SilentRetry Plant = "silent-retry" // a call that may have been executed is made again
	Optimist    Plant = "optimist"     // "maybe" is taken for "no"
	LostOutcome Plant = "lost-outcome" // what came of a call is not written down
)
