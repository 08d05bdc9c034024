// Package filter decides by what an event says whether a subscriber wants it:
// a small expression on the fields of its data.
//
//	f, err := filter.Parse(`total > 100 && customer.country == "DE"`)
//	…
//	if f.Match(event.Data) { … }
//
// # Filters
//
// A filter is a condition, or several joined by && (and), || (or), ! (not) and
// parentheses; && binds tighter than ||.
//
//	total > 100                     == != < <= > >= with a number or a text
//	customer.country == "DE"        a field within a field; 'DE' is the same text
//	items[0].name == "tea"          an element of an array, counted from 0
//	["odd name"] == null            a name that is no word; true, false, null too
//	status in ["new", "paid", 3]    one of up to 64 values
//	name startsWith "A"             and endsWith, contains: of texts only
//	exists(coupon)                  the field is there, be it null
//	paid                            the field is true
//	!(paid || total < 10)           what ! is about needs parentheses, unless it is one field
//
// Values are compared with values of their own kind, and nothing is converted:
// "100" is not 100. Between different kinds == and the orders do not hold, and
// != does. An object or an array equals nothing. Numbers are compared as they
// are written, however many digits they have: 9007199254740993 is not
// 9007199254740992, and 1.0 is 1; but one of more than 1,024 characters equals
// nothing. Texts are ordered by their code points.
//
// A field that is missing is like null, but less: field == null holds, and so
// does "field in" a list that has null; no other comparison holds, != neither.
// What should also take events without the field says !(field == 3).
//
// A filter has at most 1,024 bytes, 64 conditions and operators, 16 levels of
// parentheses and !, 16 steps in a path.
//
// # Grammar
//
//	filter    = and { "||" and }
//	and       = unary { "&&" unary }
//	unary     = "!" negated | "(" filter ")" | "exists" "(" path ")" | path [ test ]
//	negated   = "!" negated | "(" filter ")" | "exists" "(" path ")" | path
//	test      = ( "==" | "!=" ) value
//	          | ( "<" | "<=" | ">" | ">=" ) ( number | text )
//	          | ( "startsWith" | "endsWith" | "contains" ) text
//	          | "in" "[" [ value { "," value } ] "]"
//	path      = ( name | bracket ) { "." name | bracket }
//	bracket   = "[" ( text | index ) "]"
//	name      = ( letter | "_" | "$" ) { letter | digit | "_" | "$" | "-" }
//	value     = text | number | "true" | "false" | "null"
//	text      = a string of JSON, in double or single quotes
//	number    = a number of JSON
//	index     = digits, nine at most
//
// White space may stand anywhere but within a path and its names, where it may
// stand inside of brackets only. A path does not begin with true, false or null.
//
// # Cost
//
// A filter looks at the data once, from the front, whatever number of fields it
// asks for, and no further than it must. It allocates nothing, unless it
// compares a text that is long and has escapes in it.
package filter
