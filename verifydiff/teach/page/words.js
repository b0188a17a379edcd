// What the page says, in English and Chinese.

const WORDS = {
  exercises: ["Exercises", "练习"],
  formula: ["Any formula", "任意公式"],
  explorer: ["Explorer", "探索"],
  skip: ["Skip to the exercise", "跳到练习"],
  language: ["中文", "English"],
  export: ["Export answers", "导出答案"],
  forget: ["Start over", "重新开始"],
  forgetting: ["Forget all answers on this machine?", "清除本机上的全部答案？"],
  solvedOf: ["{0} of {1} solved", "已完成 {0} / {1}"],
  misprint: ["Find the misprint", "找出印错之处"],
  complete: ["Complete the formula", "补全公式"],
  derive: ["Derive the next line", "逐行推导"],
  given: ["Given", "已知"],
  printed: ["As it is printed", "原文"],
  yours: ["Your version", "你的答案"],
  fill: ["Fill in the gaps", "填空"],
  goal: ["The goal", "目标"],
  nextLine: ["Your next line", "下一行"],
  take: ["Take this line", "采用这一行"],
  takeBack: ["Take back the last line", "撤回上一行"],
  source: ["LaTeX", "LaTeX"],
  palette: ["Insert", "插入"],
  holds: ["holds", "成立"],
  fails: ["fails", "不成立"],
  notation: ["another convention", "另一种记号"],
  definition: ["a definition", "定义"],
  not_understood: ["not understood", "未能理解"],
  nothing: ["nothing to judge yet", "尚无可判断"],
  other: ["not an answer", "不是答案"],
  refused: ["not read", "无法读取"],
  solved: ["Right. It is proved.", "正确，已证明。"],
  lineFollows: ["This line follows.", "这一行成立。"],
  nearer: ["It is nearer to the goal.", "离目标更近了。"],
  noNearer: ["It is no nearer to the goal.", "但没有更接近目标。"],
  atGoal: ["That is the goal. The derivation is complete.", "已到达目标，推导完成。"],
  hint: ["Hint", "提示"],
  hintOf: ["Hint {0} of {1}", "提示 {0} / {1}"],
  showAnswer: ["Show the answer", "显示答案"],
  where: ["Where", "位置"],
  slip: ["What kind of slip", "错误类型"],
  answer: ["The answer", "答案"],
  say: ["Think", "想一想"],
  noHint: ["No single change was found that mends it.", "未找到能改正它的单处改动。"],
  play: ["Play with the numbers", "用数字试一试"],
  playAbout: [
    "Both sides, worked out wherever you turn the knobs. One point where they differ is a disproof.",
    "转动旋钮，两边的值随之计算。只要有一点不等，公式就被否定。",
  ],
  ofWhat: ["of", "比较"],
  left: ["left side", "左边"],
  right: ["right side", "右边"],
  differ: ["differ", "不等"],
  agree: ["equal", "相等"],
  noValue: ["no real value", "无实数值"],
  schedule: ["Schedule", "噪声表"],
  byHand: ["turned by hand", "手动设置"],
  linear: ["linear", "线性"],
  scaled_linear: ["scaled linear", "缩放线性"],
  cosine: ["cosine", "余弦"],
  sidesOverTime: ["both sides over t", "两边随 t 的变化"],
  previous: ["Previous", "上一题"],
  next: ["Next", "下一题"],
  tryTitle: ["Does it hold?", "它成立吗？"],
  tryAbout: [
    "Type any diffusion formula: from a paper, a blog, your own notes. It is proved, or refuted with numbers.",
    "输入任意扩散模型公式：来自论文、博客或自己的笔记。它会被证明，或用数字否定。",
  ],
  tryGiven: ["What is given (one formula a line)", "已知（每行一个公式）"],
  tryExamples: ["Examples", "示例"],
  eta: ["noise η", "噪声 η"],
  steps: ["steps S", "步数 S"],
  variance: ["data variance c", "数据方差 c"],
  mean: ["data mean m", "数据均值 m"],
  exploreTitle: ["What does a sampler do?", "采样器做了什么？"],
  exploreAbout: [
    "DDIM(η) with the exact denoiser, so that all that is wrong at the end is the fault of its steps.",
    "DDIM(η) 配上精确的去噪器：最终的误差全部来自步数有限。",
  ],
  distance: ["Fréchet distance to the data (squared)", "到数据的 Fréchet 距离（平方）"],
  endsIn: ["It ends in {0}; the data are {1}.", "终点分布 {0}；数据 {1}。"],
  distanceOverSteps: ["The distance over the number of steps", "距离随步数的变化"],
  stepsAxis: ["number of steps S", "步数 S"],
  distanceAxis: ["squared distance", "距离平方"],
  weights: ["The weights of each step", "每一步的系数"],
  weightAxis: ["weight", "系数"],
  stepAxis: ["step (noise on the left, data on the right)", "步（左为噪声，右为数据）"],
  ofState: ["of x_t", "x_t 的系数"],
  ofData: ["of the predicted data", "预测数据的系数"],
  ofFresh: ["of fresh noise", "新噪声的系数"],
  pathsTitle: ["Paths from noise to a mixture of three", "从噪声到三峰混合分布的路径"],
  pathsAbout: [
    "At η = 0 a path is decided by where it begins; with more noise it may change its mind.",
    "η = 0 时路径由起点决定；噪声越大，路径越可能改道。",
  ],
  stateAxis: ["x", "x"],
  warming: ["Starting JAX, once; this takes some seconds …", "首次启动 JAX，需要几秒……"],
  offline: ["The server does not answer. Is `verifydiff teach` still running?", "服务器没有应答。verifydiff teach 还在运行吗？"],
};

let language = "en";

export function speak(chosen) {
  language = chosen === "zh" ? "zh" : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

export const spoken = () => language;

export function say(key, ...values) {
  const text = WORDS[key]?.[language === "zh" ? 1 : 0] ?? key;
  return text.replace(/\{(\d)\}/g, (_, k) => values[Number(k)]);
}

// a text of an exercise, which may have been translated
export const told = (words) => words?.[language] ?? words?.en ?? "";
