// Package gen writes what can be told from a manifest alone: the types that an
// editor completes and a compiler checks, clients and skeletons, and pages to
// read.
//
//	text := gen.TypeScript([]gen.Service{{Name: "shop", Manifest: m}})
//	code, err := gen.Go(m, "shop")
//	page := gen.Markdown(m)
//
// # The way
//
// A manifest spells a type in three ways. All of them become a shape first
// (shape.go), which is what a value can look like and no more: JSON Schema's
// questions that no type system asks (minimum, pattern, not, if) become words
// beside it. The model (model.go) is the manifest with shapes in the place of
// types, and each language writes the model.
//
// # What is promised
//
// The text depends on the manifest alone, not on the time, the machine, or the
// order of a map. It is valid in its language whatever the manifest says: what
// people wrote never ends a comment or a string, and names that the language
// has for itself are changed, or left out where there is another way.
//
// A type may take more than the service does, since not all that a schema can
// ask can be said. It takes less in two places, where authors mean less: a
// schema that lists properties or items and no type is that of an object or an
// array.
package gen
