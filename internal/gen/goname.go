package gen

import (
	"go/token"
	"strings"
	"unicode"
)

// initialisms are the words that Go writes in capitals.
var initialisms = words("api cpu css dns html http https id ip json os rpc sql ssh tcp tls ttl ui uri url utf8 uuid xml")

// goName makes an exported name of any text.
func goName(text string) string {
	var b strings.Builder
	for _, word := range nameWords(text) {
		if initialisms[strings.ToLower(word)] {
			b.WriteString(strings.ToUpper(word))
		} else {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	name := b.String()
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "X" + name
	}
	return name
}

// nameWords are the words of a text: what stands between others than letters
// and digits, and what begins with a capital after a small letter.
func nameWords(text string) (list []string) {
	word := ""
	end := func() {
		if word != "" {
			list, word = append(list, word), ""
		}
	}
	before := ' '
	for _, r := range text {
		digit := '0' <= r && r <= '9'
		if r == '_' || !isLetter(r) && !digit {
			end()
		} else {
			if unicode.IsUpper(r) && unicode.IsLower(before) {
				end()
			}
			word += string(r)
		}
		before = r
	}
	end()
	return list
}

// goTaken are the names that the body of a generated function uses, or that
// Go has: no parameter is called so.
var goTaken = words(`
	any append bool byte cap clear close comparable complex complex64 complex128 copy delete error false float32
	float64 imag int int8 int16 int32 int64 iota len make max min new nil panic print println real recover rune
	string true uint uint8 uint16 uint32 uint64 uintptr
	args c context ctx err fn h ipc item items iter opts r result s send stream yield`)

// goParameterNames are how parameters are called, each once.
func goParameterNames(list []parameter) (names []string) {
	taken := map[string]bool{}
	for _, p := range list {
		parts := nameWords(p.Name)
		name := "x"
		if len(parts) > 0 {
			name = strings.ToLower(parts[0])
		}
		if len(parts) > 1 {
			name += goName(strings.Join(parts[1:], "_"))
		}
		if goTaken[name] || token.IsKeyword(name) || name[0] >= '0' && name[0] <= '9' {
			name = "the" + goName(name)
		}
		names = append(names, unique(name, taken))
	}
	return names
}

// isTag reports whether a member's name can stand in a tag of a struct as it
// is, for every package that reads tags.
func isTag(name string) bool {
	for _, r := range name {
		if r > 0x7f || !isLetter(r) && (r < '0' || r > '9') && !strings.ContainsRune("-.$+*/:@#!?=&%() ", r) {
			return false
		}
	}
	return name != "" && name != "-"
}
