// Strict JSON: what JSON.parse lets pass and the protocol does not (msg.1). Two
// parsers that read one text differently are how checks are passed by.

/** The bounds of one frame: depth, members of an object, values and names in all. */
const MOST = { depth: 64, members: 4096, tokens: 100_000 };

/** JSONFault says what is wrong with a text. */
export class JSONFault extends Error {
  constructor(code, message, at) {
    super(message);
    this.code = code;
    this.at = at;
  }
}

const malformed = (message, at) => new JSONFault('MALFORMED_MESSAGE', message, at);
const tooLarge = (message, at) => new JSONFault('MESSAGE_TOO_LARGE', message, at);

/** parse reads a text strictly, or throws a JSONFault. An array around all of
    it does not count as a level where it is a batch. */
export function parse(text, batch = false) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // What is too deep is that first, whatever follows.
    try {
      scan(text, MOST.depth + (batch && text.startsWith('[') ? 1 : 0));
    } catch (fault) {
      if (fault.code === 'MESSAGE_TOO_LARGE') throw fault;
    }
    throw malformed(error.message, undefined);
  }
  scan(text, batch && Array.isArray(value) ? MOST.depth + 1 : MOST.depth);
  return value;
}

// scan goes once through a text that is known to be JSON.
function scan(text, deepest) {
  const stack = []; // the names of each open object, undefined for an array
  let names; // of the innermost
  let tokens = 0;
  let value = false; // within a number or word
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    switch (c) {
      case 34: { // a string
        const end = stringEnd(text, i);
        checkString(text, i, end);
        if (++tokens > MOST.tokens) throw tooLarge(`more than ${MOST.tokens} values and names`, i);
        if (names !== undefined && names.expected) note(names, text, i, end);
        i = end - 1;
        value = false;
        break;
      }
      case 123: case 91:
        if (stack.length >= deepest) throw tooLarge(`more than ${deepest} levels`, i);
        if (++tokens > MOST.tokens) throw tooLarge(`more than ${MOST.tokens} values and names`, i);
        names = c === 123 ? { expected: true, few: [], many: undefined, size: 0 } : undefined;
        stack.push(names);
        break;
      case 125: case 93:
        stack.pop();
        names = stack[stack.length - 1];
        value = false;
        break;
      case 44:
        if (names !== undefined) names.expected = true;
        value = false;
        break;
      case 58: case 32: case 9: case 10: case 13:
        value = false;
        break;
      default:
        if (!value && ++tokens > MOST.tokens) throw tooLarge(`more than ${MOST.tokens} values and names`, i);
        value = true;
    }
  }
}

function stringEnd(text, i) {
  for (;;) {
    i = text.indexOf('"', i + 1);
    if (i < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return i + 1;
  }
}

function checkString(text, from, to) {
  const escape = text.indexOf('\\', from);
  if (escape < 0 || escape >= to) return;
  if (!JSON.parse(text.slice(from, to)).isWellFormed()) throw malformed('an unpaired surrogate', from);
}

// Most objects have few members, and to compare with each is quicker than a Set.
const FEW = 12;

function note(names, text, from, to) {
  names.expected = false;
  let name = text.slice(from + 1, to - 1);
  if (name.includes('\\')) name = JSON.parse(text.slice(from, to));
  if (++names.size > MOST.members) throw tooLarge(`more than ${MOST.members} members in an object`, from);
  if (names.many === undefined && names.size > FEW) names.many = new Set(names.few);
  if (names.many === undefined ? names.few.includes(name) : names.many.has(name)) throw malformed(`the name ${JSON.stringify(name)} stands twice in an object`, from);
  if (names.many === undefined) names.few.push(name);
  else names.many.add(name);
}

/** isWellFormed says whether a text that JSON.stringify has written is Unicode:
    it writes half of a pair as an escape. */
export function isWellFormed(text) {
  return !text.includes('\\ud') || !/\\ud[89a-f]/.test(text.replaceAll('\\\\', ''));
}
