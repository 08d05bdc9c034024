package manifest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema is one JSON Schema of the manifest, compiled once.
type schema struct {
	text     []byte
	title    string // how a signature names it
	compiled *jsonschema.Schema

	url    string // what the compiler knows it by
	node   *node  // until it is compiled
	broken bool   // it is reported already, and not to be compiled
}

// String names the schema in a signature.
func (s *schema) String() string {
	if s == nil || s.title == "" {
		return "any"
	}
	return s.title
}

// schemaKeywords are the words of JSON Schema, draft-07 to 2020-12, that do not
// start with "$".
var schemaKeywords = func() map[string]bool {
	words := map[string]bool{}
	for k := range strings.FieldsSeq(`
		additionalItems additionalProperties allOf anyOf const contains contentEncoding contentMediaType
		contentSchema default definitions dependencies dependentRequired dependentSchemas deprecated description
		else enum examples exclusiveMaximum exclusiveMinimum format if items maxContains maxItems maxLength
		maxProperties maximum minContains minItems minLength minProperties minimum multipleOf not oneOf pattern
		patternProperties prefixItems properties propertyNames readOnly required then title type
		unevaluatedItems unevaluatedProperties uniqueItems writeOnly`) {
		words[k] = true
	}
	return words
}()

// isSchema tells a full JSON Schema from an object in the short spelling. The
// package comment has the rule for authors.
func (r *reader) isSchema(n *node) bool {
	typed, keywords, short := false, true, true
	for _, m := range n.members {
		keyword := schemaKeywords[m.name]
		switch {
		case strings.HasPrefix(m.name, "$"):
			return true
		case keyword && m.value.kind != '"':
			return true
		case !keyword:
			keywords = false
		case m.name == "type":
			typed = isJSONType(m.value.text)
		}
		if m.name != "type" && !(m.value.kind == '"' && r.isExpression(m.value.text)) {
			short = false
		}
	}
	return typed && keywords && (len(n.members) == 1 || !short)
}

// isJSONType reports whether JSON Schema has a type of that name.
func isJSONType(s string) bool {
	k := builtins[s]
	return k != 0 && k != KindAny
}

// fullSchema reads a full JSON Schema as a type.
func (r *reader) fullSchema(n *node) *Type {
	s := r.addSchema(n)
	if n.get("$schema") == nil {
		r.mixed(n)
	}
	return &Type{Kind: KindSchema, Schema: s.text, schema: s}
}

// mixed refuses what is neither one spelling nor the other, lest a shape that
// its author takes for checked is not.
func (r *reader) mixed(n *node) {
	for _, m := range n.members {
		if schemaKeywords[m.name] || strings.HasPrefix(m.name, "$") || strings.HasPrefix(m.name, "x-") {
			continue
		}
		hint := meant(m.name, slices.Sorted(maps.Keys(schemaKeywords)))
		if hint == "" {
			hint = ": if this is the short spelling, give the nested shapes a name under \"types\""
		}
		r.at(m.at, Error, "mixed-schema", m.value.pointer(), "%s is no keyword of JSON Schema%s", quote(m.name), hint)
		return
	}
}

// validation reads the fragment of JSON Schema that narrows a parameter.
func (r *reader) validation(n *node) *schema {
	if !r.expect(n, '{', `"validation"`) {
		return nil
	}
	if n.get("$schema") == nil {
		r.mixed(n)
	}
	return r.addSchema(n)
}

func (r *reader) addSchema(n *node) *schema {
	s := &schema{text: r.compact(n), title: schemaTitle(n), node: n}
	r.schemas = append(r.schemas, s)
	s.broken = !r.checkRefs(n) || !r.affordable(n)
	return s
}

// affordable reports whether the manifest's schemas are still few enough to
// compile, and once if they are not.
func (r *reader) affordable(n *node) bool {
	r.keywords += n.objects()
	if r.keywords <= maxKeywords && len(r.schemas) <= maxSchemas {
		return true
	}
	if !r.unaffordable {
		r.unaffordable = true
		r.errorf(n, "too-large", "too much JSON Schema: %d schemas of %d objects in all are allowed; the short spelling costs nothing", maxSchemas, maxKeywords)
	}
	return false
}

// schemaTitle is a word for a schema: the type it refers to, or its type.
func schemaTitle(n *node) string {
	if ref := n.get("$ref"); ref != nil {
		if name, ok := strings.CutPrefix(ref.text, typesPrefix); ok {
			return name
		}
	}
	if t := n.get("type"); t != nil && t.kind == '"' && isJSONType(t.text) {
		return t.text
	}
	return ""
}

// typesPrefix starts the references from a JSON Schema to the manifest's types.
const typesPrefix = "#/types/"

// checkRefs reports whether all references to types lead somewhere, and those
// that do not.
func (r *reader) checkRefs(n *node) bool {
	good := true
	for _, m := range n.members {
		if name, ok := strings.CutPrefix(m.value.text, typesPrefix); ok && m.name == "$ref" && r.m.Types[name] == nil {
			r.errorf(m.value, "unknown-type", "unknown type %s%s", quote(name), r.meantType(name))
			good = false
		}
		good = r.checkRefs(m.value) && good
	}
	for _, e := range n.elems {
		good = r.checkRefs(e) && good
	}
	return good
}

// The compiler knows each schema under an address of its own, and the
// manifest's types under one more. Nothing is ever fetched from there, nor from
// anywhere else.
const (
	schemaURL = "ekko:///schema/"
	typesURL  = "ekko:///types"
)

// noLoader keeps schemas from reading files or the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, errors.New("schemas outside of the manifest are not loaded")
}

// compileSchemas compiles all schemas that were read.
func (r *reader) compileSchemas() {
	if len(r.schemas) == 0 {
		return
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.AssertFormat()
	for i, s := range r.schemas {
		s.url = schemaURL + strconv.Itoa(i)
		if err := addResource(c, s.url, appendNode(nil, s.node)); err != nil {
			r.errorf(s.node, "schema", "not a JSON Schema: %v", err)
			s.broken = true
		}
	}
	if err := addResource(c, typesURL, r.typesDocument()); err != nil {
		r.at(0, Error, "schema", "", "the types cannot be used in JSON Schema: %v", err)
		return
	}
	for _, s := range r.schemas {
		if s.broken {
			continue
		}
		compiled, err := c.Compile(s.url)
		if err != nil {
			r.schemaError(s, err)
		}
		s.compiled = compiled
	}
	for _, s := range r.schemas {
		s.node = nil
	}
}

func addResource(c *jsonschema.Compiler, url string, text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return c.AddResource(url, doc)
}

// schemaError reports why a schema does not compile, at the keyword to blame if
// the compiler names one.
func (r *reader) schemaError(s *schema, err error) {
	at, why := s.node, strings.ReplaceAll(err.Error(), quote(s.url), "it")
	var invalid *jsonschema.SchemaValidationError
	var verr *jsonschema.ValidationError
	var load *jsonschema.LoadURLError
	var lost *jsonschema.JSONPointerNotFoundError
	switch {
	case errors.As(err, &invalid) && errors.As(invalid.Err, &verr):
		verr = leaf(verr)
		at = s.node.find(verr.InstanceLocation)
		why = keywordProblem(at, verr)
	case errors.As(err, &load):
		why = "the schema refers to " + quote(load.URL) + ", and nothing outside of the manifest is loaded"
	case errors.As(err, &lost):
		_, pointer, _ := strings.Cut(lost.URL, "#")
		why = "the reference to " + quote("#"+pointer) + " leads nowhere"
	}
	r.errorf(at, "schema", "not a JSON Schema: %s", why)
}

// keywordProblem is what is wrong with the value of a keyword.
func keywordProblem(at *node, err *jsonschema.ValidationError) string {
	if at.key == "type" && at.kind == '"' {
		names := strings.Fields("array boolean integer null number object string")
		return "unknown type " + quote(at.text) + meant(at.text, names)
	}
	if at.key == "pattern" && at.kind == '"' {
		return "the pattern " + quote(at.text) + " is not understood (the syntax is RE2, without lookaround and backreferences)"
	}
	return kindText(err)
}
