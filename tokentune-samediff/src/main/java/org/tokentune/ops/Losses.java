package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.internal.FusedCrossEntropy;
import org.tokentune.ops.internal.FusedCrossEntropyGrad;
import org.tokentune.ops.internal.FusedMeanLoss;
import org.tokentune.ops.internal.FusedMeanLossGrad;
import org.tokentune.ops.internal.FusedOp;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;

/**
 * Loss functions, each a scalar that can be used in further computation (the upstream gradient is
 * respected). Cross entropies are in nats.
 *
 * <p>Native form: compositions that SameDiff differentiates. ND4J's own cross entropies ignore the
 * upstream gradient (their means are too large and masks do nothing), so they are not used. Fused
 * form of the softmax cross entropy: {@link FusedCrossEntropy} and {@link FusedCrossEntropyGrad};
 * of the others, which average over few elements: {@link FusedMeanLoss} and {@link
 * FusedMeanLossGrad}. Labels and targets are data, so the fused forms compute no gradient for them.
 */
public final class Losses {

  /** Hugging Face's label for an ignored row. */
  public static final int IGNORED = CrossEntropyRows.IGNORED;

  private Losses() {}

  /**
   * Softmax cross entropy with integer labels: {@code sum_i w_i * -log softmax(logits_i)[label_i] /
   * sum_i w_i} over the rows whose label is not {@link #IGNORED}. Without any, loss and gradient
   * are 0.
   *
   * @param logits [rows, classes]
   * @param classes width of the logits
   * @param labels [rows] INT32, {@link #IGNORED} or 0 to {@code classes - 1}. For any other label
   *     the fused form throws an {@link IllegalArgumentException}; the native form does not check.
   * @param classWeights [classes], row weights by label, not negative; null for all 1
   */
  public static SDVariable softmaxCrossEntropy(
      SDVariable logits, int classes, SDVariable labels, SDVariable classWeights) {
    return softmaxCrossEntropy(logits, classes, labels, classWeights, 0);
  }

  /**
   * Softmax cross entropy with label smoothing, as PyTorch's {@code CrossEntropyLoss} combines it
   * with weights: {@code 1 - smoothing} times the loss without it, plus {@code smoothing / classes
   * * sum_i sum_c w_c * -log softmax(logits_i)[c] / sum_i w_i}, where {@code w_i} is the weight of
   * the label.
   *
   * @param smoothing share of a label that is spread over all classes
   */
  public static SDVariable softmaxCrossEntropy(
      SDVariable logits,
      int classes,
      SDVariable labels,
      SDVariable classWeights,
      double smoothing) {
    required(logits, "logits");
    required(labels, "labels");

    SDVariable counts = labels.neq(IGNORED);
    SDVariable safe = safe(labels);
    SDVariable shifted = shifted(logits);
    SDVariable losses = ofRows(shifted, classes, safe);
    SDVariable weights = counts.castTo(logits.dataType());
    if (classWeights != null) {
      weights = weights.mul(TokenGather.rows(classWeights.reshape(-1, 1), safe).reshape(-1));
    }
    if (smoothing == 0) {
      return weightedMean(losses, weights);
    }
    SDVariable all = logSumExp(shifted).reshape(-1, 1).sub(shifted);
    SDVariable spread = (classWeights == null ? all : all.mul(classWeights.reshape(1, -1))).sum(1);
    SDVariable sums =
        losses
            .mul(weights)
            .mul(1 - smoothing)
            .add(spread.mul(counts.castTo(logits.dataType())).mul(smoothing / classes));
    SDVariable anyWeight = weights.sum().neq(0.0).castTo(logits.dataType());
    return mean(sums, weights).mul(anyWeight);
  }

  /**
   * The softmax cross entropy of every row, 0 for {@link #IGNORED}: [rows]. In native form only.
   *
   * @param logits [rows, classes]
   * @param classes width of the logits
   * @param labels [rows] INT32, {@link #IGNORED} or 0 to {@code classes - 1}
   */
  public static SDVariable softmaxCrossEntropyOfRows(
      SDVariable logits, int classes, SDVariable labels) {
    required(logits, "logits");
    required(labels, "labels");

    SDVariable counts = labels.neq(IGNORED).castTo(logits.dataType());
    return ofRows(shifted(logits), classes, safe(labels)).mul(counts);
  }

  /** Class 0 for ignored rows. */
  private static SDVariable safe(SDVariable labels) {
    return labels.mul(labels.neq(IGNORED).castTo(labels.dataType()));
  }

  private static SDVariable ofRows(SDVariable shifted, int classes, SDVariable safe) {
    SameDiff sd = shifted.getSameDiff();
    SDVariable rows =
        sd.range(
            sd.constant(0),
            sd.sizeAt(shifted, 0).castTo(safe.dataType()),
            sd.constant(1),
            safe.dataType());
    SDVariable chosen =
        TokenGather.rows(shifted.reshape(-1, 1), rows.mul(classes).add(safe)).reshape(-1);
    return logSumExp(shifted).sub(chosen);
  }

  /**
   * Softmax cross entropy with one-hot labels: the mean of {@code -log softmax(logits_i)[class_i]}
   * over the rows that have a class; 0 if none has.
   *
   * @param logits [rows, classes]
   * @param marked of the same shape and type, 1 at the class and 0 elsewhere
   */
  public static SDVariable softmaxCrossEntropy(SDVariable logits, SDVariable marked) {
    required(logits, "logits");
    required(marked, "marked");

    SDVariable shifted = shifted(logits);
    SDVariable weights = marked.sum(1);
    return weightedMean(logSumExp(shifted).sub(shifted.mul(marked).sum(1)), weights);
  }

  /** As {@link #softmaxCrossEntropy(SDVariable, int, SDVariable, SDVariable, double)}. */
  public static SDVariable softmaxCrossEntropy(
      SDVariable logits,
      int classes,
      SDVariable labels,
      SDVariable classWeights,
      double smoothing,
      KernelMode kernelMode) {
    required(logits, "logits");
    required(labels, "labels");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return softmaxCrossEntropy(logits, classes, labels, classWeights, smoothing);
    }
    Ops.register();
    SameDiff sd = logits.getSameDiff();
    FusedOp op =
        classWeights == null
            ? new FusedCrossEntropy(sd, smoothing, logits, labels)
            : new FusedCrossEntropy(sd, smoothing, logits, labels, classWeights);
    return op.outputVariables()[0];
  }

  /**
   * Binary cross entropy with logits, for several labels at once: the mean over all elements of
   * {@code -(y log sigmoid(x) + (1 - y) log sigmoid(-x))}.
   *
   * @param logits any shape
   * @param labels shape of the logits, 0 to 1. The fused form throws an {@link
   *     IllegalArgumentException} for any other shape.
   */
  public static SDVariable binaryCrossEntropy(SDVariable logits, SDVariable labels) {
    required(logits, "logits");
    required(labels, "labels");

    SameDiff sd = logits.getSameDiff();
    // -log sigmoid(x) and -log sigmoid(-x) are cross entropies of the pair (x, 0), which is stable
    // and smooth at 0.
    SDVariable x = logits.reshape(-1, 1);
    SDVariable pairs = shifted(sd.concat(1, x, sd.zerosLike(x)));
    SDVariable y = labels.reshape(-1, 1);
    SDVariable chosen = pairs.mul(sd.concat(1, y, y.rsub(1.0))).sum(1);
    return logSumExp(pairs).sub(chosen).mean();
  }

  /**
   * Binary cross entropy with logits, where the part of a label that applies has a weight: the mean
   * over all elements of {@code -(w y log sigmoid(x) + (1 - y) log sigmoid(-x))}, as PyTorch's
   * {@code BCEWithLogitsLoss} with {@code pos_weight}.
   *
   * @param logits [rows, labels]
   * @param labels of the same shape, 0 to 1
   * @param weights [labels]
   */
  public static SDVariable weightedBinaryCrossEntropy(
      SDVariable logits, SDVariable labels, SDVariable weights) {
    required(logits, "logits");
    required(labels, "labels");
    required(weights, "weights");

    SameDiff sd = logits.getSameDiff();
    SDVariable x = logits.reshape(-1, 1);
    SDVariable pairs = shifted(sd.concat(1, x, sd.zerosLike(x)));
    SDVariable applies = labels.mul(weights.reshape(1, -1)).reshape(-1, 1);
    SDVariable shares = sd.concat(1, applies, labels.reshape(-1, 1).rsub(1.0));
    SDVariable chosen = pairs.mul(shares).sum(1);
    return logSumExp(pairs).mul(shares.sum(1)).sub(chosen).mean();
  }

  /**
   * Focal loss of a softmax (Lin et al., 2017): {@code sum_i w_i (1 - p_i)^gamma * -log p_i / sum_i
   * w_i} over the rows whose label is not {@link #IGNORED}, where {@code p_i} is the probability of
   * the label. In native form only.
   *
   * @param logits [rows, classes]
   * @param classes width of the logits
   * @param labels [rows] INT32, {@link #IGNORED} or 0 to {@code classes - 1}
   * @param classWeights [classes], not negative: the paper's alpha; null for all 1
   * @param gamma above 0
   */
  public static SDVariable softmaxFocal(
      SDVariable logits, int classes, SDVariable labels, SDVariable classWeights, double gamma) {
    required(logits, "logits");
    required(labels, "labels");
    SameDiff sd = logits.getSameDiff();
    SDVariable counts = labels.neq(IGNORED);
    SDVariable safe = labels.mul(counts.castTo(labels.dataType())); // class 0 for ignored rows
    SDVariable rows =
        sd.range(
            sd.constant(0),
            sd.sizeAt(logits, 0).castTo(labels.dataType()),
            sd.constant(1),
            labels.dataType());
    SDVariable at = rows.mul(classes).add(safe);
    SDVariable shifted = shifted(logits);
    SDVariable powers = sd.math().exp(shifted);
    SDVariable sum = powers.sum(1);
    SDVariable others = sum.sub(TokenGather.rows(powers.reshape(-1, 1), at).reshape(-1));
    SDVariable chosen = TokenGather.rows(shifted.reshape(-1, 1), at).reshape(-1);
    SDVariable losses = focal(others.div(sum), gamma).mul(sd.math().log(sum).sub(chosen));
    SDVariable weights = counts.castTo(logits.dataType());
    if (classWeights != null) {
      weights = weights.mul(TokenGather.rows(classWeights.reshape(-1, 1), safe).reshape(-1));
    }
    return weightedMean(losses, weights);
  }

  /**
   * Focal loss of sigmoids, for several labels at once: the mean over all elements of {@code -(w y
   * (1 - p)^gamma log p + (1 - y) p^gamma log (1 - p))}, where {@code p = sigmoid(x)}. This is
   * torchvision's {@code sigmoid_focal_loss}, whose {@code alpha} is here the weight {@code alpha /
   * (1 - alpha)} and a factor {@code 1 - alpha} of the loss. In native form only.
   *
   * @param logits [rows, labels]
   * @param labels of the same shape, 0 or 1
   * @param weights [labels], of the labels that apply; null for all 1
   * @param gamma above 0
   */
  public static SDVariable binaryFocal(
      SDVariable logits, SDVariable labels, SDVariable weights, double gamma) {
    required(logits, "logits");
    required(labels, "labels");
    SameDiff sd = logits.getSameDiff();
    SDVariable x = logits.reshape(-1, 1);
    SDVariable pairs = shifted(sd.concat(1, x, sd.zerosLike(x))); // whose softmax is p and 1 - p
    SDVariable y = labels.reshape(-1, 1);
    SDVariable none = y.rsub(1.0);
    SDVariable applies = weights == null ? y : labels.mul(weights.reshape(1, -1)).reshape(-1, 1);
    SDVariable shares = sd.concat(1, applies, none);
    SDVariable powers = sd.math().exp(pairs);
    SDVariable others = powers.mul(sd.concat(1, none, y)).sum(1).div(powers.sum(1));
    SDVariable losses = logSumExp(pairs).mul(shares.sum(1)).sub(pairs.mul(shares).sum(1));
    return focal(others, gamma).mul(losses).mean();
  }

  /** {@code others^gamma}, with a finite gradient at 0: [rows]. */
  private static SDVariable focal(SDVariable others, double gamma) {
    SameDiff sd = others.getSameDiff();
    return sd.math().exp(sd.math().log(others.add(1e-12)).mul(gamma));
  }

  /** As {@link #binaryCrossEntropy(SDVariable, SDVariable)}. */
  public static SDVariable binaryCrossEntropy(
      SDVariable logits, SDVariable labels, KernelMode kernelMode) {
    required(logits, "logits");
    required(labels, "labels");
    required(kernelMode, "kernelMode");

    return kernelMode == KernelMode.NATIVE
        ? binaryCrossEntropy(logits, labels)
        : fusedMean(logits, labels, true);
  }

  /**
   * Mean of the squared differences over all elements.
   *
   * @param predictions any shape
   * @param targets shape of the predictions. The fused form throws an {@link
   *     IllegalArgumentException} for any other shape.
   */
  public static SDVariable meanSquaredError(SDVariable predictions, SDVariable targets) {
    required(predictions, "predictions");
    required(targets, "targets");

    SDVariable difference = predictions.sub(targets);
    return difference.mul(difference).mean();
  }

  /** As {@link #meanSquaredError(SDVariable, SDVariable)}. */
  public static SDVariable meanSquaredError(
      SDVariable predictions, SDVariable targets, KernelMode kernelMode) {
    required(predictions, "predictions");
    required(targets, "targets");
    required(kernelMode, "kernelMode");

    return kernelMode == KernelMode.NATIVE
        ? meanSquaredError(predictions, targets)
        : fusedMean(predictions, targets, false);
  }

  private static SDVariable fusedMean(SDVariable predictions, SDVariable targets, boolean binary) {
    Ops.register();
    return new FusedMeanLoss(predictions.getSameDiff(), predictions, targets, binary)
        .outputVariable();
  }

  /**
   * Rows minus their maximum, so that no exponential overflows. (ND4J's {@code logSoftmax} is the
   * logarithm of a softmax, which is minus infinity if that is 0.) The maximum cancels in every
   * loss, so it needs no gradient.
   */
  private static SDVariable shifted(SDVariable rows) {
    return rows.sub(Detach.apply(rows.max(true, 1)));
  }

  /** {@code log(sum(exp(row)))} for each row [n], with no exponential that overflows: [rows]. */
  public static SDVariable logSumExpOfRows(SDVariable rows) {
    required(rows, "rows");

    return logSumExp(shifted(rows)).add(Detach.apply(rows.max(true, 1)).reshape(-1));
  }

  /** {@code log(sum(exp(row)))} for each row: [rows]. */
  private static SDVariable logSumExp(SDVariable rows) {
    SameDiff sd = rows.getSameDiff();
    return sd.math().log(sd.math().exp(rows).sum(1));
  }

  /** {@code sum(values * weights) / sum(weights)}, 0 if all weights are 0; both [rows]. */
  private static SDVariable weightedMean(SDVariable values, SDVariable weights) {
    return mean(values.mul(weights), weights);
  }

  /** {@code sum(weighted) / sum(weights)}, 0 if all weights are 0; both [rows]. */
  private static SDVariable mean(SDVariable weighted, SDVariable weights) {
    SDVariable total = weights.sum();
    // The total is 0 only if every weight is: then the numerator is also 0, and any divisor gives
    // 0.
    SDVariable none = total.eq(0.0).castTo(total.dataType());
    return weighted.sum().div(total.add(none));
  }
}
