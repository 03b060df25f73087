package org.tokentune.models;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * A graph and the names of its placeholders {@link #INPUT_IDS}, {@link #ATTENTION_MASK}, all INT32
 * [batch, length], and likewise {@link #TOKEN_TYPE_IDS} for encoders or {@link #POSITION_IDS} for
 * decoders; in training {@link #LABELS} (of answers INT32 [batch, 2], the positions of their first
 * and last tokens; of {@link org.tokentune.objectives.Objectives#FEATURE_EXTRACTION} the gradient
 * of the loss of another network with respect to the pooled rows, [batch, hidden]), with two
 * streams {@link #SELECTED} [batch, k] and {@link #FROZEN} [batch, length - k], INT32 positions;
 * results {@link #LOGITS} and {@link #LOSS}.
 *
 * @param trainable names of the parameters with a gradient
 * @param split whether it has two token streams
 * @param model whose tables the placeholders index
 */
public record ModelGraph(
    SameDiff sd, List<String> trainable, boolean split, TransformerModel model) {

  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";
  public static final String TOKEN_TYPE_IDS = "token_type_ids";
  public static final String POSITION_IDS = "position_ids";

  /** Of graphs that decode several sequences; see {@link GraphOptions#batchDecoding}. */
  public static final String CACHE_ROWS = "cache_rows";

  public static final String LABELS = "labels";
  public static final String SELECTED = "selected";
  public static final String FROZEN = "frozen";
  public static final String LOGITS = "logits";
  public static final String LOSS = "loss";

  /** The gradient of the logits, of their shape; see {@link GraphOptions#withUpstream}. */
  public static final String LOGITS_GRADIENT = "logits_gradient";

  /**
   * Rejects inputs with which ND4J would read outside a table without noticing.
   *
   * @param inputs by the name of their placeholder
   * @throws BadInputException that names the first number in a batch that is not a row, or what is
   *     missing
   */
  public void check(Map<String, INDArray> inputs) {
    ModelConfig config = model.config();
    Head head = model.head();
    INDArray ids = inputs.get(INPUT_IDS);
    if (ids == null || ids.rank() != 2) {
      throw BadSettingsException.of(
          "inputs",
          "must hold %s of shape [batch, length], got %s.",
          INPUT_IDS,
          ids == null ? "none" : Arrays.toString(ids.shape()));
    }
    for (String name : List.of(ATTENTION_MASK, TOKEN_TYPE_IDS, POSITION_IDS)) {
      checkShape(inputs, name, ids.shape());
    }
    check(inputs, INPUT_IDS, 0, config.vocabulary(), "token");
    if (config.tokenTypes() > 0) {
      check(inputs, TOKEN_TYPE_IDS, 0, config.tokenTypes(), "token type");
    }
    checkMask(inputs.get(ATTENTION_MASK));
    long length = ids.size(1);
    if (config.positionTable()) {
      check(inputs, POSITION_IDS, 0, config.maxPositions(), "position");
      if (length > config.maxPositions() && !inputs.containsKey(POSITION_IDS)) {
        throw new BadDataException(
            "Texts of %d tokens are longer than the model's %d positions; truncate them.",
            length, config.maxPositions());
      }
    }
    if (inputs.containsKey(SELECTED)) {
      INDArray selected = inputs.get(SELECTED);
      long k = selected.rank() == 2 ? selected.size(1) : 0;
      checkShape(inputs, SELECTED, ids.size(0), k);
      checkShape(inputs, FROZEN, ids.size(0), length - k);
    }
    check(inputs, SELECTED, 0, length, "selected position");
    check(inputs, FROZEN, 0, length, "frozen position");
    checkShape(inputs, LABELS, head.task().labelShape(ids.size(0), length, head.outputs()));
    head.task()
        .labelRange(length, head.outputs())
        .ifPresent(range -> check(inputs, LABELS, range.least(), range.end(), range.what()));
  }

  /** ND4J's ops read past the end of an array that is too small. */
  private static void checkShape(Map<String, INDArray> inputs, String name, long... shape) {
    INDArray given = inputs.get(name);
    if (given != null && !Arrays.equals(given.shape(), shape)) {
      throw BadSettingsException.of(
          "inputs",
          "must hold %s of shape %s, as %s says, got %s.",
          name,
          Arrays.toString(shape),
          INPUT_IDS,
          Arrays.toString(given.shape()));
    }
  }

  private static void check(
      Map<String, INDArray> inputs, String name, long least, long count, String what) {
    INDArray numbers = inputs.get(name);
    if (numbers == null) {
      return;
    }
    for (long number : whole(numbers, name)) {
      if (number < least || number >= count) {
        throw new BadDataException(
            "A batch has the %s %d, but the model has only %d; use the model's own tokenizer.",
            what, number, count);
      }
    }
  }

  private static void checkMask(INDArray mask) {
    if (mask == null) {
      return;
    }
    for (long number : whole(mask, ATTENTION_MASK)) {
      if (number != 0 && number != 1) {
        throw new BadDataException(
            "The %s of a batch has %d; give 1 for tokens and 0 for padding.",
            ATTENTION_MASK, number);
      }
    }
  }

  /** The numbers of an array, in Java: ND4J's reductions would allocate memory in every step. */
  private static long[] whole(INDArray array, String name) {
    DataBuffer data = array.isView() ? array.dup().data() : array.data();
    if (array.isR()) {
      for (double number : data.asDouble()) {
        if (number != Math.rint(number)) {
          throw new BadDataException(
              "The %s of a batch are not whole: there is %s; give INT32 numbers.", name, number);
        }
      }
    }
    return data.asLong();
  }

  /**
   * The name of the hidden states of a layer, 0 for the embeddings, in the selected (or only)
   * stream.
   */
  public static String hidden(int layer) {
    return "hidden." + layer;
  }

  /** Whether a name is that of hidden states in either stream. */
  public static boolean isHiddenState(String name) {
    return name.matches("hidden\\.\\d+(\\.frozen)?");
  }

  /** The name of the hidden states of a layer in the frozen stream. */
  public static String frozenHidden(int layer) {
    return "hidden." + layer + ".frozen";
  }
}
