import { eachAlone } from '../../src/lib/eachAlone';

it('gives each its turn, whatever becomes of those before it, and tells the first failure', async () => {
  const done: number[] = [];
  const all = eachAlone([1, 2, 3, 4], (n) => {
    done.push(n);
    return n % 2 === 0 ? Promise.reject(new Error(`not ${n}`)) : Promise.resolve();
  });
  await expect(all).rejects.toThrow('not 2');
  expect(done).toEqual([1, 2, 3, 4]);
});
