package org.tokentune.models;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * A built graph and the names to use it by: placeholders {@link #INPUT_IDS}, {@link
 * #ATTENTION_MASK}, all INT32 [batch, length], and of the same kind {@link #TOKEN_TYPE_IDS} of
 * encoders or {@link #POSITION_IDS} of decoders; in training {@link #LABELS} (of answers INT32
 * [batch, 2], the positions of their first and last tokens; of {@link
 * org.tokentune.objectives.Objectives#FEATURE_EXTRACTION} the gradient of somebody else's loss by
 * the pooled rows, [batch, hidden]), with two streams {@link #SELECTED} [batch, k] and {@link
 * #FROZEN} [batch, length - k], INT32 positions; results {@link #LOGITS} and {@link #LOSS}.
 *
 * @param trainable names of the parameters that the loss's gradient reaches
 * @param split whether it has two token streams
 * @param model whose tables its placeholders' numbers are rows of
 */
public record ModelGraph(
    SameDiff sd, List<String> trainable, boolean split, TransformerModel model) {

  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";
  public static final String TOKEN_TYPE_IDS = "token_type_ids";
  public static final String POSITION_IDS = "position_ids";
  public static final String LABELS = "labels";
  public static final String SELECTED = "selected";
  public static final String FROZEN = "frozen";
  public static final String LOGITS = "logits";
  public static final String LOSS = "loss";

  /**
   * Refuses inputs that would make ND4J read beyond a table, which it does not notice.
   *
   * @param inputs by placeholder
   * @throws BadInputException that names the first number of a batch that is no row
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
            "Texts of %d tokens are longer than the model's %d positions; cut them.",
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
    // In Java: ND4J's minimum and maximum would allocate in every step.
    for (int number : numbers.isView() ? numbers.dup().data().asInt() : numbers.data().asInt()) {
      if (number < least || number >= count) {
        throw new BadDataException(
            "A batch has the %s %d, but the model has %d of them; take the model's own tokenizer.",
            what, number, count);
      }
    }
  }

  /** Name of a layer's hidden states, 0 being the embeddings, of the selected (or only) stream. */
  public static String hidden(int layer) {
    return "hidden." + layer;
  }

  /** Whether a name is that of hidden states, of either stream. */
  public static boolean isHiddenState(String name) {
    return name.matches("hidden\\.\\d+(\\.frozen)?");
  }

  /** The same of the frozen stream. */
  public static String frozenHidden(int layer) {
    return "hidden." + layer + ".frozen";
  }
}
