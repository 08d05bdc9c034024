// Package manifest is what a service promises: .ekko.ipc.json files read,
// checked, and compiled so that arguments, results and events can be checked
// against them.
//
//	m, err := manifest.Load("database-service.ekko.ipc.json")
//	…
//	getUser := m.MethodByName("getUserById")
//	err = getUser.CheckArguments([]byte(`["123"]`)) // parameter id: expected number, got string
//	err = getUser.CheckResult([]byte(`{"id":1}`))   // result.name is missing: expected string
//
// [Load] reads a file that nobody else can have written, [Parse] a text, and
// [Lint] says everything that is wrong with a text, each with its line and
// column. A text is refused for errors; warnings, unknown fields among them,
// are kept beside the manifest. The text is strict JSON: no duplicate names, no
// invalid UTF-8, no comments. Fields that start with "x-" are left to other
// tools. spec/manifest.schema.json describes the format to editors.
//
// A [Manifest] never changes once it is made; use it from any goroutine.
//
// # Types
//
// Wherever a type may stand (the "type", "schema" and "elementType" of
// parameters and results, the "schema" of events, the members of "types") it is
// written in one of three ways.
//
// An expression: any, string, number, integer, boolean, null, object, array, or
// the name of one of the manifest's types; after it [] makes arrays of it and ?
// allows null. "User[]?" is an array of users, or null. A number is one that a
// double can hold, an integer is whole (1.0 is) and within ±(2^53-1), so every
// peer reads what was written.
//
// The short spelling of an object: {"id": "number", "email": "string?", "tags":
// "string[]"}. Its members are types in any of the three ways. Each must be
// there, except that a member whose type ends in ? may be absent or null.
// Members that are not declared are allowed.
//
// A full JSON Schema, draft 2020-12 unless its $schema says otherwise, with
// formats asserted. The reference "#/types/User" leads to the manifest's type;
// nothing outside of the manifest is ever loaded. An object is a full JSON
// Schema, and not the short spelling, if
//
//   - a member's name starts with $, or
//   - a member is called like a keyword of JSON Schema, and its value is not a
//     string, or
//   - its "type" is one of JSON Schema's, all other members are keywords too,
//     and these are not all types in their own right: {"type": "string"} and
//     {"type": "string", "format": "email"} are schemas, while {"type":
//     "string", "title": "string"} is an object with two members.
//
// What is a schema by the second rule and yet has members that are no keywords
// is refused rather than guessed at: give the nested shape a name under "types",
// or say $schema.
//
// A type may contain itself where a value can end: in an array or behind a ?.
//
// # Parameters and results
//
// A parameter must be given unless it is not "required", has a "default", or
// its type ends in ?. A method without "parameters" takes whatever comes, one
// with an empty list takes nothing; a method without "returns" answers whatever
// it likes. A "validation" is a piece of JSON Schema asked besides the type.
//
// Arguments come as an array (always the list of arguments), as a number,
// string, boolean or null (the single argument), as an object (the single
// argument of a method with one parameter, named arguments for a method with
// several), or not at all. A null for a parameter that need not be given and
// takes no null counts as absent: it is what JavaScript sends for undefined.
// [Method.Arguments] brings all of this into one form; [Method.Bind] checks it
// on the same way.
//
// # Cost
//
// The checker runs over the raw text and allocates nothing as long as the data
// fits. It takes the text for valid JSON, which the decoder of the wire has
// seen to, and looks only at what is promised. Full schemas and validations are
// the exception: for these the value is decoded, which costs some microseconds.
// What does not fit gives a [Violation] with path, rule and a sentence.
package manifest
