package org.tokentune.models;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

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

  /**
   * Rejects inputs with which ND4J would read outside a table without noticing.
   *
   * @param inputs by the name of their placeholder
   * @throws BadInputException that names the first number in a batch that is not a row
   */
  public void check(Map<String, INDArray> inputs) {
    ModelConfig config = model.config();
    Head head = model.head();
    check(inputs, INPUT_IDS, 0, config.vocabulary(), "token");
    if (config.tokenTypes() > 0) {
      check(inputs, TOKEN_TYPE_IDS, 0, config.tokenTypes(), "token type");
    }
    long length = inputs.get(INPUT_IDS).size(1);
    if (config.positionTable()) {
      check(inputs, POSITION_IDS, 0, config.maxPositions(), "position");
      if (length > config.maxPositions() && !inputs.containsKey(POSITION_IDS)) {
        throw new BadDataException(
            "Texts of %d tokens are longer than the model's %d positions; truncate them.",
            length, config.maxPositions());
      }
    }
    check(inputs, SELECTED, 0, length, "selected position");
    check(inputs, FROZEN, 0, length, "frozen position");
    head.task()
        .labelRange(length, head.outputs())
        .ifPresent(range -> check(inputs, LABELS, range.least(), range.end(), range.what()));
  }

  private static void check(
      Map<String, INDArray> inputs, String name, long least, long count, String what) {
    INDArray numbers = inputs.get(name);
    if (numbers == null) {
      return;
    }
    // A loop in Java, because ND4J's minimum and maximum would allocate memory in every step.
    for (int number : numbers.isView() ? numbers.dup().data().asInt() : numbers.data().asInt()) {
      if (number < least || number >= count) {
        throw new BadDataException(
            "A batch has the %s %d, but the model has only %d; use the model's own tokenizer.",
            what, number, count);
      }
    }
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
