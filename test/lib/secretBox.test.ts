// What is sealed opens under its own key alone, unchanged.
import { createSecretBox } from '../../src/lib/secretBox';

const box = createSecretBox('a1'.repeat(32));

test('a sealed text opens again, whatever characters it has', () => {
  for (const text of ['', 'plain', 'ключ 🗝\n"quoted"']) expect(box.open(box.seal(text))).toBe(text);
});

test('two seals of one text differ', () => {
  expect(box.seal('same')).not.toBe(box.seal('same'));
});

test('a box does not open under another key', () => {
  expect(() => createSecretBox('b2'.repeat(32)).open(box.seal('text'))).toThrow(/SECRET_KEY/);
});

test('a box with one character changed does not open', () => {
  const sealed = box.seal('a text of some length');
  const broken = sealed.slice(0, 20) + (sealed[20] === 'A' ? 'B' : 'A') + sealed.slice(21);
  expect(() => box.open(broken)).toThrow(/does not open/);
});
