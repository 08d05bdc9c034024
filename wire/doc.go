// Package wire is what is said between two processes: the envelope and its
// codec, channel names and patterns, and the codes of failures. It is pure:
// no I/O, no clock and no goroutine. Nothing in it knows how a frame moves,
// or what a method means.
//
// # A message
//
// A frame holds one [Message] as a JSON object, or a batch of them as an
// array:
//
//	{"type":"request","messageId":"3f0e9f5c-…","channel":"database-service.getUserById",
//	 "action":"getUserById","data":[123],"timestamp":"2026-11-22T12:00:00.123Z"}
//
//	frame ──IsBatch?──▶ Limits.Batch ──each element──▶ Limits.Decode ──▶ Message ──▶ Limits.DecodeMetadata, DecodeError
//	frame ◀─────────────────────────────────────────── Message.Append ◀── AppendUUID, Stamper, Metadata.Append, Error.AppendJSON
//
// # What the decoder promises
//
// Two readers of one text must never see two different messages: whoever
// checks a message and whoever acts on it may be different programs. So there
// is one reading of a text or none. A text is rejected that is not valid
// UTF-8, has a name twice in one object (however it is spelled: "\u0074ype"
// is "type"), an escape for half a surrogate pair, or anything after the
// value. Names are told apart by case. All of it is checked, also what nobody
// will look at: an unknown member, the inside of data. What is checked is
// then kept as it stands, so that data passes through unchanged to the last
// digit of its numbers.
//
// Reading costs one pass, no recursion, and no allocation but for text that
// holds escapes. [Limits] bounds the nesting, the members of an object and
// the values of a text before anything is built from them, and the search
// for duplicate names is linear in the size of the text whatever the names
// are.
//
// A decoded message aliases its frame and is valid as long as that is.
//
// # Failures
//
// Each failure is an [Error] with a [Code] that survives the wire and
// wrapping:
//
//	if errors.Is(err, wire.CodeDeadlineExceeded) { … }
//
// [Codes] is the table of all codes with what may be concluded from each.
// [DecodeError] turns what a peer sent into an error again, and cannot fail.
//
// # Names
//
// [CheckName] and [ParsePattern] hold the grammar; [SplitChannel],
// [EventName] and [EventChannel] translate between a channel and what it
// names.
//
// # Safe use
//
// All functions may be called at the same time from several goroutines, with
// the same *Limits too. A [Stamper] belongs to one goroutine at a time.
package wire
