// Functions that rules of ops use and Math lacks, or whose special values differ from IEEE 754's or Python's there.
// Each begins at the margin; elementary.py takes those that a graph needs. tests/viz/stepper hold them to Python's.

function maximum(...xs) {
  let most = xs[0];
  for (let i = 1; i < xs.length; i++) most = most >= xs[i] || most !== most ? most : xs[i]; // nan if any is nan
  return most;
}

function minimum(...xs) {
  let least = xs[0];
  for (let i = 1; i < xs.length; i++) least = least <= xs[i] || least !== least ? least : xs[i];
  return least;
}

function pow(x, y) {
  const isInfinite = y === Infinity || y === -Infinity;
  return x === 1 || (x === -1 && isInfinite) ? 1 : Math.pow(x, y); // where Math.pow is nan
}

function mod(x, y) {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 !== y < 0 ? rest + y : rest; // the sign of y, as in Python
}

function expOfMinusSquare(x) {
  const near = Math.fround(x);
  return Math.exp(-near * near) * Math.exp((near - x) * (near + x)); // the square of `near` has no rounding error
}

function erfSeries(x) {
  let sum = 0;
  for (let k = 40; k > 0; k--) sum = 2 + (x * x * sum) / (k + 0.5);
  return (sum * x * expOfMinusSquare(x)) / Math.sqrt(Math.PI);
}

function erfcFraction(x) {
  let [a, b, p, pBefore, q, qBefore] = [0, 0.5 + x * x, 1, 0, 0.5 + x * x, 1];
  for (let k = 0; k < 60; k++) {
    a += 0.5 + 2 * k;
    b += 2;
    [p, pBefore] = [b * p - a * pBefore, p];
    [q, qBefore] = [b * q - a * qBefore, q];
  }
  return ((p / q) * x * expOfMinusSquare(x)) / Math.sqrt(Math.PI);
}

function erf(x) {
  const size = Math.abs(x);
  if (size < 2) return erfSeries(x);
  return size > 6 ? Math.sign(x) : x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

function erfc(x) {
  if (Math.abs(x) < 1.5) return 1 - erfSeries(x);
  return x > 28 ? 0 : x > 0 ? erfcFraction(x) : x < -6 ? 2 : x < 0 ? 2 - erfcFraction(-x) : x;
}

function polynomial(coefficients, t) {
  return coefficients.reduceRight((sum, c) => sum * t + c, 0);
}

function compensatedSum(terms) {
  let [sum, lost] = [0, 0]; // Neumaier's sum
  for (const x of terms) {
    const next = sum + x;
    lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return sum + (lost === lost ? lost : 0);
}

function sinOfPi(x) {
  const y = Math.abs(x) % 2;
  const n = Math.round(2 * y);
  const part = Math.PI * (y - n / 2);
  const value = n % 2 ? Math.cos(part) : Math.sin(part);
  return (n === 2 || n === 3 ? -value : value) * Math.sign(x);
}

function lanczosSum(x) {
  const above = [
    23531376880.41076, 42919803642.6491, 35711959237.35567, 17921034426.03721, 6039542586.352028, 1439720407.3117216,
    248874557.86205417, 31426415.5854002, 2876370.6289353725, 186056.26539522348, 8071.672002365816, 210.82427775157936,
    2.5066282746310002,
  ];
  const below = [0, 39916800, 120543840, 150917976, 105258076, 45995730, 13339535, 2637558, 357423, 32670, 1925, 66, 1];
  if (x < 5) return polynomial(above, x) / polynomial(below, x);
  return polynomial([...above].reverse(), 1 / x) / polynomial([...below].reverse(), 1 / x);
}

function gamma(x) {
  if (!Number.isFinite(x)) return x === Infinity ? x : NaN;
  const size = Math.abs(x);
  if (size < 1e-20) return 1 / x;
  if (x === Math.floor(x)) {
    if (x < 0) return NaN;
    if (x <= 23) return Array.from({ length: x - 1 }, (_, i) => i + 1).reduce((product, i) => product * i, 1);
  }
  if (size > 200) return x > 0 ? Infinity : 0 / sinOfPi(x);
  const shift = 5.524680040776729; // the g of lanczosSum, less a half
  const y = size + shift;
  const rounding = size > shift ? y - size - shift : y - shift - size;
  const correction = (rounding * (shift + 0.5)) / y;
  const power = size < 140 ? Math.pow(y, size - 0.5) : Math.pow(y, size / 2 - 0.25);
  const again = size < 140 ? 1 : power; // the power alone would overflow
  if (x < 0) {
    const value = ((-Math.PI / sinOfPi(size) / size) * Math.exp(y)) / lanczosSum(size);
    return (value - correction * value) / power / again;
  }
  const value = lanczosSum(size) / Math.exp(y);
  return (value + correction * value) * power * again;
}

function lgammaAboutTwo(t) {
  return polynomial([
    0.462078812242751, 0.3065393068022644, -0.06027450162647183, 0.017297086407447336, -0.005827157343997423,
    0.002141519524465937, -0.0008301502812756877, 0.00033337970661416374, -0.0001372345268972118, 5.752213901326074e-5,
    -2.4445196647830842e-5, 1.0498465127749438e-5, -4.522858838083751e-6, 1.972474337876138e-6, -9.721147547903204e-7,
    4.289232349812461e-7,
  ], t);
}

function lgammaMiddle(t) {
  return polynomial([
    0.4831289505409809, -0.14595989591430633, 0.0629114010745651, -0.031308487500862646, 0.016797098631093372,
    -0.00942562247406296, 0.005446457860682398, -0.0032120721329353405, 0.0019229149147978835, -0.0011644901403444882,
    0.0007115699504281184, -0.0004364241801394057, 0.0002702869866769687, -0.00018534671852976566, 0.00011599195968016846,
  ], t);
}

function lgamma(x) {
  if (!Number.isFinite(x)) return Math.abs(x);
  const size = Math.abs(x);
  if (x <= 0 && x === Math.floor(x)) return Infinity;
  if (x < 0 || x >= 8) {
    if (size < 1e-20) return -Math.log(size);
    const value = Math.log(lanczosSum(size)) - 6.02468004077673 + (size - 0.5) * (Math.log(size + 5.524680040776729) - 1);
    return x > 0 ? value : Math.log(Math.PI) - Math.log(Math.abs(sinOfPi(size))) - Math.log(size) - value;
  }
  if (x < 0.25) return x * lgammaAboutTwo(x - 0.125) - Math.log(x * (1 + x));
  if (x < 0.75) return x * (x - 1) * lgammaMiddle(x - 0.5) - Math.log(x);
  if (x < 1.25) return (x - 1) * lgammaAboutTwo(x - 1.125) - Math.log(x);
  if (x < 1.75) return (x - 1) * (x - 2) * lgammaMiddle(x - 1.5);
  if (x <= 2.5) return (x - 2) * lgammaAboutTwo(x - 2.125);
  let product = 1;
  while (x > 2.5) {
    x -= 1;
    product *= x;
  }
  return lgamma(x) + Math.log(product);
}

function factorial(n) {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}

function polygammaSeries(x, n) {
  const bernoulli = [
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138,
    -236364091 / 2730,
  ];
  if (n === 0) {
    const terms = bernoulli.map((b, k) => (b / (2 * k + 2)) * Math.pow(x, -2 * k - 2));
    return Math.log(x) - 1 / (2 * x) - compensatedSum(terms);
  }
  const leading = factorial(n - 1) * Math.pow(x, -n) + (factorial(n) * Math.pow(x, -n - 1)) / 2;
  const ratio = (k) => {
    let product = 1; // (2k + n − 1)! / (2k)!
    for (let i = 2 * k + 1; i < 2 * k + n; i++) product *= i;
    return product;
  };
  const terms = bernoulli.map((b, k) => b * ratio(k + 1) * Math.pow(x, -2 * k - 2 - n));
  return (n % 2 ? 1 : -1) * (leading + compensatedSum(terms));
}

function polygammaByRecurrence(x, n) {
  const sign = n % 2 ? -1 : 1;
  const terms = [];
  for (; x < 16 + 2 * n; x++) terms.push(-sign * factorial(n) * Math.pow(x, -(n + 1)));
  return compensatedSum([...terms, polygammaSeries(x, n)]);
}

function cotangentDerivative(x, n) {
  const rounded = 2 * Math.round(x / 2);
  const part = Math.abs(x - rounded) > 0.5 ? x - rounded - Math.sign(x - rounded) : x - rounded;
  const isNearHalf = Math.abs(part) > 0.25;
  const c = isNearHalf
    ? Math.sign(part) * Math.tan(Math.PI * (0.5 - Math.abs(part)))
    : 1 / Math.tan(Math.PI * part);
  let coefficients = [0, Math.PI]; // of a polynomial in c = cot πx, where dc/dx = −π(1 + c²)
  for (let i = 0; i < n; i++) {
    const slope = coefficients.map((a, k) => k * a).slice(1);
    const [low, high] = [[...slope, 0, 0], [0, 0, ...slope]];
    coefficients = low.map((a, k) => -Math.PI * (a + high[k]));
  }
  return compensatedSum(coefficients.map((a, k) => a * Math.pow(c, k)));
}

function polygamma(x, n) {
  if (!(n >= 0 && n < Infinity) || n % 1) return NaN;
  if (x !== x) return x;
  if (n === 0) {
    const first = x - 1.4616321449683622;
    if (Math.abs(first) < 0.25) return digammaNearRoot(first - 9.549995429965697e-17, 0);
    const second = x + 0.5040830082644554;
    if (Math.abs(second) < 0.08) return digammaNearRoot(second + 8.15428206243813e-18, 1);
  }
  if (x <= -0.25 || x === 0) {
    if (x % 1 === 0 || x === -Infinity) return NaN;
    return (n % 2 ? -1 : 1) * polygammaByRecurrence(1 - x, n) - cotangentDerivative(x, n);
  }
  if (x === Infinity) return n === 0 ? x : 0;
  return polygammaByRecurrence(x, n);
}

function digammaNearRoot(t, which) {
  const coefficients = [
    [
      0.9676722454476212, -0.4427631689835921, 0.2584997609556687, -0.16394270544241862, 0.10782405068533324,
      -0.07219956125239833, 0.048804288921354876, -0.03316112699288993, 0.02259760081602993, -0.015424733465408253,
      0.010540399993098224, -0.007205634748695976, 0.004896701614056688, -0.003349222735254419, 0.0025946296942270975,
      -0.0017749988418890284,
    ],
    [
      8.939798558792134, -0.8093454625306507, 32.258572064916514, -2.761011648791143, 128.2734234275973,
      -14.706721734498636, 513.2704670877467, -75.37700195027988, 2055.533184309754, -368.57756336340526,
      8235.505030792992, -1743.6253656886802, 32844.54256124555, -8004.177401109838, 146706.4201019747, -41010.98927461755,
    ],
  ];
  return t * polynomial(coefficients[which], t);
}
