// The dedicated worker that learns, beside the one that looks at images. It ends with its fine-tune, and all its memory with it.
import { serve } from "./serve.js";
import { trainerService } from "./trainer-service.js";

serve(trainerService());
