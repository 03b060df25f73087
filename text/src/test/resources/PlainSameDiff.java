import java.io.File;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a user without this project writes: FILE and token ids of one text; prints the logits. */
class PlainSameDiff {

  public static void main(String[] arguments) {
    SameDiff sd = SameDiff.load(new File(arguments[0]), false);
    int[] ids = Arrays.stream(arguments).skip(1).mapToInt(Integer::parseInt).toArray();
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put("input_ids", Nd4j.createFromArray(new int[][] {ids}));
    inputs.put("attention_mask", Nd4j.ones(DataType.INT32, 1, ids.length));
    inputs.put("token_type_ids", Nd4j.zeros(DataType.INT32, 1, ids.length));
    float[] logits = sd.outputSingle(inputs, "logits").reshape(-1).toFloatVector();
    System.out.println("logits " + Arrays.toString(logits));
  }
}
