package wire

// Type says what a message is for.
type Type uint8

// The message types. TypeUnknown stands for a well-formed message whose type
// this version does not know: it is answered, not hung up on.
const (
	TypeUnknown Type = iota
	TypeRequest
	TypeResponse
	TypeEvent
	TypeSubscribe
	TypeUnsubscribe
)

// Message is one envelope.
//
// The byte slices of a decoded message alias the frame it was decoded from
// (except text that held escapes, which is copied), so they are valid exactly
// as long as the frame is. MessageID, Channel, Action, Timestamp and
// CorrelationID are text without quotes and without escapes; Data, Error and
// Metadata are JSON as received. A nil slice means that the field is absent.
type Message struct {
	Type          Type
	TypeName      []byte // the type as received; set only for TypeUnknown
	MessageID     []byte
	Channel       []byte
	Action        []byte
	Data          []byte
	Timestamp     []byte
	CorrelationID []byte
	Error         []byte
	Metadata      []byte
}
