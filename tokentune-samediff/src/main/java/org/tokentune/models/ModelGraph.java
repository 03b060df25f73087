package org.tokentune.models;

import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A built graph and the names to use it by: placeholders {@link #INPUT_IDS}, {@link
 * #ATTENTION_MASK}, all INT32 [batch, length], and of the same kind {@link #TOKEN_TYPE_IDS} of
 * encoders or {@link #POSITION_IDS} of decoders; in training {@link #LABELS} (of answers INT32
 * [batch, 2], the positions of their first and last tokens; of {@link Task#POOL} the gradient of
 * somebody else's loss by the pooled rows, [batch, hidden]), with two streams {@link #SELECTED}
 * [batch, k] and {@link #FROZEN} [batch, length - k], INT32 positions; results {@link #LOGITS} and
 * {@link #LOSS}.
 *
 * @param trainable names of the parameters that the loss's gradient reaches
 * @param split whether it has two token streams
 */
public record ModelGraph(SameDiff sd, List<String> trainable, boolean split) {

  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";
  public static final String TOKEN_TYPE_IDS = "token_type_ids";
  public static final String POSITION_IDS = "position_ids";
  public static final String LABELS = "labels";
  public static final String SELECTED = "selected";
  public static final String FROZEN = "frozen";
  public static final String LOGITS = "logits";
  public static final String LOSS = "loss";

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
