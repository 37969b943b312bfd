/**
 * Which numbers of one author were heard: each is new once, in any order, as long as no more than `kept` larger ones came before it. So what somebody
 * keeps and brings again later changes nothing (the anti-replay window of RFC 4303, 3.4.3, with gaps).
 */
export function createHeardOnce(kept: number): (number: number) => boolean {
  /** In their order. */
  const numbers: number[] = [];
  return (number) => {
    const isOld = numbers.length >= kept && number < (numbers[0] ?? 0);
    const place = numbers.findLastIndex((one) => one <= number);
    if (isOld || numbers[place] === number) return false;
    numbers.splice(place + 1, 0, number);
    if (numbers.length > kept) numbers.shift();
    return true;
  };
}
