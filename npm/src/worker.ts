// The dedicated worker that looks at images.
import { EngineService } from "./engine-service.js";
import { serve } from "./serve.js";

serve(new EngineService());
