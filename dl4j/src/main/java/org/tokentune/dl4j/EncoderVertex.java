package org.tokentune.dl4j;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.samediff.SDVertexParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Bert;
import org.tokentune.models.BertConfig;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenAmount;
import org.tokentune.select.TokenSelector;

/**
 * A pretrained encoder in a {@code ComputationGraph}, with gradients through selected tokens only.
 *
 * <p>Inputs: token ids, attention mask and, if the model is to see other ones than 0, token types,
 * all [batch, length] of whole numbers in any data type; texts are padded on the right, and every
 * batch may have a length of its own. Output: [batch, hidden], the row that a classifier reads
 * (BERT's pooler output). Parameters have Hugging Face's names with {@code -} for {@code _}; to
 * DL4J matrices are weights, which it regularises, and vectors are biases.
 *
 * <p>The vertex draws the selected tokens by itself, from its seed and the network's counts of
 * epochs and iterations, and so are the dropout masks; both apply only in training. So a network
 * that was saved and loaded continues as the original would.
 *
 * <p>It does not run in DL4J's SameDiff session but on this project's execution plans: forward,
 * which keeps nothing, and again forward and backward, when the gradient of the network's loss has
 * come down to it.
 */
public final class EncoderVertex extends SameDiffVertex {

  private static final long serialVersionUID = 1;

  @JsonProperty private String encoder;
  @JsonProperty private Pooling pooling;
  @JsonProperty private String tokens;
  @JsonProperty private int minTokens;
  @JsonProperty private long seed;
  private transient WeightSource weights;

  /** For DL4J, which reads configurations; use {@link #of(ModelFiles, String)}. */
  EncoderVertex() {}

  /**
   * The encoder of a model.
   *
   * @param files to be closed only after the network's {@code init()}, which reads the weights
   * @param tokens which tokens carry gradient: {@code all}, a count, or a share such as {@code
   *     25%}; of the latter two {@code span:} before them takes tokens side by side
   * @param minTokens least tokens of a text, where a share is given
   * @param seed of the selection and of dropout, and of a pooler that the weights do not have
   * @throws BadInputException for a decoder, or tokens that cannot be selected
   */
  public static EncoderVertex of(
      ModelFiles files, Pooling pooling, String tokens, int minTokens, long seed) {
    required(files, "files");
    required(pooling, "pooling");
    required(tokens, "tokens");

    EncoderVertex vertex = new EncoderVertex();
    vertex.encoder = files.config().toString();
    vertex.pooling = pooling;
    vertex.tokens = tokens;
    vertex.minTokens = minTokens;
    vertex.seed = seed;
    vertex.weights = files.weights();
    vertex.model();
    vertex.selector();
    return vertex;
  }

  /** The same with the first token's row, at least 8 tokens of a text, and seed 42. */
  public static EncoderVertex of(ModelFiles files, String tokens) {
    return of(files, Pooling.FIRST, tokens, TokenAmount.DEFAULT_FLOOR, 42);
  }

  Bert model() {
    if (encoder == null || pooling == null || tokens == null) {
      throw new BadFileException(
          "The network's configuration lacks encoder, pooling or tokens of an EncoderVertex; save it"
              + " again.");
    }
    try {
      BertConfig config = BertConfig.read(new ObjectMapper().readTree(encoder), "The model");
      return new Bert(config, new Head(Objectives.FEATURE_EXTRACTION, config.hidden(), pooling));
    } catch (JsonProcessingException e) {
      throw new BadFileException(e, "The encoder's configuration is damaged; download it again.");
    }
  }

  /** Columns of its output. */
  public int hidden() {
    return model().config().hidden();
  }

  TokenSelector selector() {
    return RandomTokens.parse(tokens, minTokens, true);
  }

  /**
   * DL4J's name of a parameter: what is before its last {@code _} would be taken for a vertex's.
   */
  static String key(String name) {
    return name.replace('_', '-');
  }

  long seed() {
    return seed;
  }

  @Override
  public void defineParametersAndInputs(SDVertexParams params) {
    params.clear();
    params.defineInputs(ModelGraph.INPUT_IDS, ModelGraph.ATTENTION_MASK, ModelGraph.TOKEN_TYPE_IDS);
    model()
        .parameters()
        .forEach(
            (name, shape) -> {
              if (shape.length > 1) {
                params.addWeightParam(key(name), shape);
              } else {
                params.addBiasParam(key(name), shape);
              }
            });
  }

  @Override
  public void initializeParameters(Map<String, INDArray> params) {
    if (weights == null) {
      throw new BadSettingsException(
          "The encoder has no weights to begin with; make its vertex of a model's files, or load"
              + " the network with its parameters.");
    }
    ParameterLoader.loadEncoder(model(), weights, WeightStorage.FLOAT32, seed)
        .asMap()
        .forEach((name, array) -> params.get(key(name)).assign(array));
  }

  @Override
  public GraphVertex instantiate(
      ComputationGraph graph,
      String name,
      int idx,
      INDArray paramsView,
      boolean initializeParams,
      DataType networkDatatype) {
    if (networkDatatype != DataType.FLOAT) {
      throw new BadSettingsException(
          "The encoder does not compute in %s; set the network's data type to FLOAT.",
          networkDatatype);
    }
    setName(name);
    checkParameters();
    return new EncoderGraphVertex(
        this, graph, name, idx, paramsView, initializeParams, networkDatatype);
  }

  /** DL4J reads parameters' names and shapes from a saved network, and trusts them. */
  private void checkParameters() {
    SDVertexParams own = new SDVertexParams();
    defineParametersAndInputs(own);
    org.nd4j.shade.jackson.databind.ObjectMapper mapper = NeuralNetConfiguration.mapper();
    if (!mapper.valueToTree(own).equals(mapper.valueToTree(getVertexParams()))) {
      throw new BadFileException(
          "The parameters of the vertex %s are not those of its encoder; save the network again.",
          getName());
    }
  }

  /** Not asked for: the vertex runs on plans. */
  @Override
  public SDVariable defineVertex(
      SameDiff sameDiff,
      Map<String, SDVariable> layerInput,
      Map<String, SDVariable> paramTable,
      Map<String, SDVariable> maskVars) {
    throw new UnsupportedOperationException("an EncoderVertex runs on execution plans");
  }

  @Override
  public int minVertexInputs() {
    return 2;
  }

  @Override
  public int maxVertexInputs() {
    return 3;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType... vertexInputs) {
    return InputType.feedForward(hidden());
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArrays(
      INDArray[] maskArrays, MaskState currentMaskState, int minibatchSize) {
    throw new BadDataException(
        "The data set has masks of features; give the attention mask as the encoder's second input"
            + " instead.");
  }

  @Override
  public EncoderVertex clone() {
    EncoderVertex copy = new EncoderVertex();
    copy.encoder = encoder;
    copy.pooling = pooling;
    copy.tokens = tokens;
    copy.minTokens = minTokens;
    copy.seed = seed;
    copy.weights = weights;
    copy.setName(getName());
    copy.setRegularization(getRegularization());
    copy.setRegularizationBias(getRegularizationBias());
    copy.setUpdater(getUpdater());
    copy.setBiasUpdater(getBiasUpdater());
    copy.setGradientNormalization(getGradientNormalization());
    copy.setGradientNormalizationThreshold(getGradientNormalizationThreshold());
    copy.setDataType(getDataType());
    return copy;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EncoderVertex that
        && super.equals(other)
        && encoder.equals(that.encoder)
        && pooling == that.pooling
        && tokens.equals(that.tokens)
        && minTokens == that.minTokens
        && seed == that.seed;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), encoder, pooling, tokens, minTokens, seed);
  }
}
